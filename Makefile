# Every command a developer needs. Nothing has to be installed first; `make` alone lists them.
#
# CARGO_TARGET_DIR moves everything that is built (default: target).

SHELL := bash
.DEFAULT_GOAL := help
# scripts/env.sh chooses the toolchain, so that all commands use the same one.
IN_ENV := . scripts/env.sh &&

.PHONY: help run build test check cluster watch bench soak proxies conformance fuzz deny lighthouse same-site newcomer

help: ## This list
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' Makefile | expand -t 20

run: build ## Serve http://127.0.0.1:8080, everything embedded (from nothing: 15 to 30 minutes)
	@$(IN_ENV) say "Serving on http://127.0.0.1:$${PORT:-8080}; Ctrl-C stops it" && exec "$$CARGO_TARGET_DIR/release/server"

build: ## The release binary and the site (10 minutes the first time on 2 cores)
	@scripts/setup-build.sh
	@scripts/build.sh

test: ## Every check: format, lints, unit, integration and browser tests (40 minutes the first time on 2 cores)
	@scripts/test.sh

check: ## Format and lints only, for server and browser
	@scripts/setup-build.sh
	@scripts/check.sh

cluster: build ## A private Redis, a private MongoDB and two instances, on 8080 and 8081
	@scripts/cluster.sh

watch: ## Rebuild and reload on every change (installs cargo-leptos: 20 minutes the first time)
	@scripts/setup-build.sh
	@scripts/setup-watch.sh
	@# Names without hashes: cargo-leptos does not renew them after a change.
	@$(IN_ENV) LEPTOS_HASH_FILES=false cargo leptos watch

bench: build ## Deliveries a second, latency, memory of an idle socket, on one instance and on two
	@scripts/setup-test.sh
	@$(IN_ENV) cargo bench -p server

soak: ## Ten minutes of faults: everything killed, paused and cut at random, every promise checked
	@scripts/setup-test.sh
	@scripts/soak.sh

proxies: build ## All browser tests through nginx, then all through HAProxy (20 minutes)
	@scripts/setup-test.sh
	@$(IN_ENV) cd end2end && for proxy in nginx haproxy; do JPULSE_TEST_PROXY=$$proxy playwright test --reporter=list || exit; done

conformance: ## The Autobahn cases against our WebSockets
	@scripts/setup-build.sh
	@scripts/conformance.sh

fuzz: ## Ten minutes of hostile input for every parser of browsers' words (needs a nightly toolchain)
	@scripts/setup-build.sh
	@scripts/fuzz.sh

deny: ## Licences, sources and known vulnerabilities of all dependencies (asks github.com for the latter)
	@scripts/setup-build.sh
	@scripts/setup-deny.sh
	@$(IN_ENV) cargo deny check

lighthouse: build ## Lighthouse's judgement of every public page, as desktop and as phone (15 minutes)
	@scripts/setup-test.sh
	@$(IN_ENV) program=$$(scripts/setup-lighthouse.sh) && cd end2end && LIGHTHOUSE=$$program playwright test --reporter=list

same-site: ## Proves that `cargo leptos build` and `cargo xtask build` make the same site
	@scripts/setup-build.sh
	@scripts/setup-watch.sh
	@scripts/same-site.sh

newcomer: ## The newcomer's path in a fresh clone and an empty home: make run, open a page, stop (20 minutes on 2 cores)
	@scripts/newcomer.sh
