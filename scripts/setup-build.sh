#!/usr/bin/env bash
# Everything `make build` needs: Rust for this machine and for the browser, wasm-opt.
# Installs only what is missing; nothing to do takes a second.
folder=$(dirname "$0")
"$folder/setup-rust.sh" && "$folder/setup-npm.sh"
