#!/usr/bin/env bash
# The Autobahn cases against our sockets: kosoku drives them at examples/echo.rs. Any failed case fails this.
. "$(dirname "$0")/env.sh"

ADDRESS=127.0.0.1:${CONFORMANCE_PORT:-9001}
SUITE=$CACHE/kosoku-0.1.0
REQUIREMENT="kosoku==0.1.0 --hash=sha256:a9b34e593defe29d931e346c88947b58a015495f09dd13643e4cc952c75602ac"

if [ ! -x "$SUITE/bin/kosoku" ]; then
    have python3 || apt_install "Python" python3 python3-venv
    say "Fetching the conformance suite from PyPI (10 seconds)"
    python3 -m venv "$SUITE"
    "$SUITE/bin/pip" install --quiet --disable-pip-version-check --no-deps --require-hashes \
        --requirement <(echo "$REQUIREMENT") || {
        rm -rf "$SUITE"
        fail "pip could not fetch kosoku; is pypi.org reachable?"
    }
fi

say "Building the echo (as long as a release build when there is none)"
cargo build --locked --release --quiet --features app/ssr --package wire --package app --package server \
    --package frontend --example echo
"$CARGO_TARGET_DIR/release/examples/echo" "$ADDRESS" &
ECHO=$!
REPORTS=$(mktemp -d)
trap 'kill "$ECHO"; rm -rf "$REPORTS"' EXIT

say "Running the Autobahn cases (5 minutes)"
"$SUITE/bin/kosoku" --parallelism 2 --outdir "$REPORTS" "ws://$ADDRESS"
