#!/usr/bin/env bash
# The soak for ten minutes, or SOAK_SECONDS; a failure prints the SOAK_SEED that repeats its faults.
. "$(dirname "$0")/env.sh"

export SOAK_SECONDS=${SOAK_SECONDS:-600}
cargo test --locked --release --features app/ssr \
    --package wire --package app --package server --package frontend --test soak
