#!/usr/bin/env bash
# The programs that come from npm: wasm-opt for the site, Playwright for the browser tests.
. "$(dirname "$0")/lib.sh"

have npm || apt_install "Node.js with npm" nodejs npm
major=$(node -p 'process.versions.node.split(".")[0]')
[ "$major" -ge 18 ] || fail "Node.js $major is too old; install version 18 or later"

installed="$ROOT/end2end/node_modules/.package-lock.json"
[ "$installed" -nt "$ROOT/end2end/package-lock.json" ] && exit
say "Fetching wasm-opt and Playwright from npm (30 seconds)"
npm ci --prefix "$ROOT/end2end" --no-audit --no-fund --loglevel=error >&2 ||
    fail "npm could not fetch what end2end/package-lock.json names; is registry.npmjs.org reachable?"
touch "$installed"
