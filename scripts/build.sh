#!/usr/bin/env bash
# Builds the release binary and the site: $CARGO_TARGET_DIR/release/server and $CARGO_TARGET_DIR/site.
. "$(dirname "$0")/env.sh"

say "Building the server (6 minutes the first time on 2 cores)"
cargo build --locked --release --package server
say "Building the site (4 minutes the first time on 2 cores)"
cargo xtask build
