#!/usr/bin/env bash
# Format and lints. The server's side and the browser's are linted apart: their features exclude each other.
# What the workspace denies fails; what it only warns of may grow with each clippy and is advice.
. "$(dirname "$0")/env.sh"

cargo fmt --all -- --check || fail "the format differs; run: cargo fmt --all"
cargo clippy --locked --quiet --all-targets --package wire --package script --package client --package app --package server \
    --package frontend --package xtask --features app/ssr -- --deny unused
cargo clippy --locked --quiet --package client --package entry --package frontend --package app --features app/hydrate --target wasm32-unknown-unknown -- --deny unused
