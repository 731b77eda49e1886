#!/usr/bin/env bash
# cargo-leptos and wasm-bindgen's program, for `make watch`: compiled here, in a light profile.
. "$(dirname "$0")/env.sh"

# compile_program CRATE VERSION MINUTES FLAG...: into the cache, unless its program is on PATH in that version.
compile_program() {
    local crate=$1 version=$2 minutes=$3 program=${1%-cli}
    shift 3
    have "$program" && "$program" --version | grep -qwF "$version" && return
    say "Compiling $crate $version ($minutes minutes on 2 cores, once)"
    export CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_OPT_LEVEL=1 CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16
    # Locked first; now and then a locked version is not served any more.
    cargo install --quiet --root "$CACHE" --version "$version" --locked "$crate" "$@" ||
        cargo install --quiet --root "$CACHE" --version "$version" "$crate" "$@" ||
        fail "$crate $version did not compile; the lines above say why (often: Rust older than it needs)"
}

export CARGO_TARGET_DIR="$CACHE/watch-target"
bindgen=$(sed -n '/^name = "wasm-bindgen"$/{n;s/version = "\(.*\)"/\1/p}' Cargo.lock)
compile_program cargo-leptos 0.3.11 15 --features no_downloads
compile_program wasm-bindgen-cli "$bindgen" 3
rm -rf "$CARGO_TARGET_DIR"
