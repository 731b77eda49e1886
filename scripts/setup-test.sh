#!/usr/bin/env bash
# Everything `make test` needs beyond the build: Redis, MongoDB, Chromium, Playwright, proxies, linters.
. "$(dirname "$0")/lib.sh"

# Debian keeps proxies where only root's PATH leads.
have_sbin() { have "$1" || [ -x "/usr/sbin/$1" ]; }

"$ROOT/scripts/setup-build.sh"
have redis-server || apt_install "Redis" redis-server
have redis-sentinel || apt_install "Redis Sentinel" redis-sentinel
have chromium || apt_install "Chromium" chromium
have_sbin nginx || apt_install "nginx" nginx-light
have_sbin haproxy || apt_install "HAProxy" haproxy
have openssl || apt_install "OpenSSL" openssl
have systemd-analyze || apt_install "systemd-analyze" systemd
"$ROOT/scripts/setup-mongod.sh"
"$ROOT/scripts/setup-deny.sh"
"$ROOT/scripts/setup-hadolint.sh"
"$ROOT/scripts/setup-promtool.sh"
