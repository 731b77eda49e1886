#!/usr/bin/env bash
# Everything `make test` needs beyond the build: Redis, MongoDB, Chromium, Playwright, cargo-deny.
. "$(dirname "$0")/lib.sh"

"$ROOT/scripts/setup-build.sh"
have redis-server || apt_install "Redis" redis-server
have redis-sentinel || apt_install "Redis Sentinel" redis-sentinel
have chromium || apt_install "Chromium" chromium
"$ROOT/scripts/setup-mongod.sh"
"$ROOT/scripts/setup-deny.sh"
