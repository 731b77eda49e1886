#!/usr/bin/env bash
# Proves that `cargo leptos build` and `cargo xtask build` make the same site: same names, same bytes.
. "$(dirname "$0")/env.sh"

other=$CARGO_TARGET_DIR/same-site
say "Building the site both ways (6 minutes the first time on 2 cores)"
cargo xtask build
# Its own folder: it would build the site where the other one is.
CARGO_TARGET_DIR=$other cargo leptos build --release --frontend-only
cargo xtask compare "$CARGO_TARGET_DIR/site" "$other/site" && say "Both ways make the same site"
