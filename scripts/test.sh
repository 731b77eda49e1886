#!/usr/bin/env bash
# Runs every check, all of them even when one fails. The last lines name what failed and count the tests:
# `N passed, N failed`; a step that fails without having counted a test counts as one failed.
. "$(dirname "$0")/lib.sh"

PASSED=0
FAILED=0
LOG=$(mktemp -d)
trap 'rm -rf "$LOG"' EXIT

# step NAME COMMAND...: runs one step, shows what it prints, adds up the tests it counts.
step() {
    local name=$1 status=0 passed failed began=$SECONDS
    shift
    say "$name"
    "$@" 2>&1 | tee "$LOG/step" || status=$?
    read -r passed failed < <(count_tests "$LOG/step")
    [ "$status" = 0 ] || [ "$failed" -gt 0 ] || failed=1
    PASSED=$((PASSED + passed))
    FAILED=$((FAILED + failed))
    if [ "$status" = 0 ]; then
        say "$name: done in $((SECONDS - began)) seconds"
    else
        say "$name: FAILED"
        { echo "$name:" && reasons "$LOG/step"; } >>"$LOG/failures"
    fi
    return "$status"
}

without_colours() { sed 's/\x1b\[[0-9;]*m//g' "$1"; }

# What a failed step gave as its reasons: names of tests and the first lines of their messages, or else its end.
reasons() {
    local found
    found=$(without_colours "$1" | awk '
        /^test .* \.\.\. FAILED$/ { print }
        /^thread .* panicked at / { lines = 4 }
        /^  +[0-9]+\) / { lines = 1 }
        /^ +(Error|Expected|Received|Locator): ?/ { lines = 1 }
        lines > 0 { print; lines-- }')
    [ -n "$found" ] || found=$(tail -n 8 "$1")
    cut -c 1-160 <<<"$found" | head -n 15 | sed 's/^ */    /'
}

# Adds up what `cargo test` and Playwright say of themselves.
count_tests() {
    without_colours "$1" | awk '
        /^test result: / { for (i = 2; i <= NF; i++) { if ($i == "passed;") p += $(i - 1); if ($i == "failed;") f += $(i - 1) } }
        /^  [0-9]+ passed( \(.*\))?$/ { p += $1 }
        /^  [0-9]+ (failed|flaky|interrupted|did not run)$/ { f += $1 }
        END { print p + 0, f + 0 }'
}

# One profile and one set of features for tests and binary, so that their dependencies are compiled once:
# this makes $CARGO_TARGET_DIR/release/server too.
cargo_tests() {
    LEPTOS_SITE_ROOT="$CARGO_TARGET_DIR/site" cargo test --locked --release --no-fail-fast --features app/ssr \
        --package wire --package script --package client --package app --package server --package frontend "$@"
}

release_build() { cargo_tests --no-run && cargo_tests --no-run --test soak && cargo xtask build; }

# A minute of random faults, then what a hanging Redis and stalled sockets cost; its own last line counts as cargo's do.
soak() { cargo_tests --test soak; }

tool_tests() { cargo test --locked --package xtask; }

# Nothing here may ask the network; known vulnerabilities are `make deny`'s.
dependencies() { cargo deny check bans licenses sources; }

browser_tests() { (cd end2end && CI=${CI:-true} playwright test --reporter=list "$@"); }

# The heart of them through a proxy; `make proxies` runs all.
proxied_tests() { JPULSE_TEST_PROXY=$1 browser_tests two_instances endpoints.spec routes; }

step "Setting up (5 minutes the first time)" "$ROOT/scripts/setup-test.sh" || {
    echo "0 passed, 1 failed"
    exit 1
}
. "$ROOT/scripts/env.sh"

step "Format and lints (5 minutes the first time)" scripts/check.sh || true
step "Dependencies" dependencies || true
step "Deployment files" scripts/lint-deploy.sh || true
step "Tests of the tools (3 minutes the first time)" tool_tests || true
if step "Release build (20 minutes the first time)" release_build; then
    step "Unit and integration tests (5 minutes the first time)" cargo_tests || true
    step "Soak (4 minutes)" soak || true
    step "Browser tests" browser_tests || true
    step "Browser tests behind nginx (2 minutes)" proxied_tests nginx || true
    step "Browser tests behind HAProxy (2 minutes)" proxied_tests haproxy || true
fi

[ ! -e "$LOG/failures" ] || { echo && cat "$LOG/failures"; }
echo "$PASSED passed, $FAILED failed"
[ "$FAILED" = 0 ]
