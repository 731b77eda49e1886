# The environment every project command runs in; sourced by the Makefile and the other scripts.
# shellcheck shell=bash disable=SC2034

. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# Whether the rustc found first is as new as Cargo.toml asks.
is_new_enough() {
    local wanted found
    have rustc && have cargo || return
    wanted=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' "$ROOT/Cargo.toml")
    found=$(rustc --version | cut -d ' ' -f 2)
    [ "$(printf '%s\n' "$wanted" "$found" | sort -V | head -n 1)" = "$wanted" ]
}

# Whether it can compile *and link* for the browser: asks by doing it. The libraries must hold bitcode as well,
# for what a browser downloads is optimized as a whole; to try that too would take a second each time.
compiles_wasm() {
    local folder libraries status
    folder=$(mktemp -d)
    echo 'pub fn probe() { println!("probe"); }' |
        rustc --crate-type cdylib --target wasm32-unknown-unknown --out-dir "$folder" --crate-name probe - >/dev/null 2>&1
    status=$?
    rm -rf "$folder"
    libraries=$(rustc --print target-libdir --target wasm32-unknown-unknown 2>/dev/null) || return
    [ "$status" = 0 ] && grep --quiet --fixed-strings .llvmbc "$libraries"/libstd-*.rlib 2>/dev/null
}

# The compiler on PATH when it reaches the browser, else Debian's in /usr/bin: never a mixture of both,
# for one cannot read what the other compiled.
choose_toolchain() {
    is_new_enough && compiles_wasm && return
    [ -x /usr/bin/rustc ] && [ -x /usr/bin/cargo ] && PATH="/usr/bin:$PATH"
    is_new_enough && compiles_wasm
}

# rustup's programs, on a machine whose shell was not opened anew after its installation.
[ -d "$HOME/.cargo/bin" ] && PATH="$PATH:$HOME/.cargo/bin"
# wasm-opt, playwright; cargo-deny, cargo-leptos, wasm-bindgen.
PATH="$ROOT/end2end/node_modules/.bin:$CACHE/bin:$PATH"
choose_toolchain || HAS_TOOLCHAIN=no

CARGO_TARGET_DIR=$(realpath -m "${CARGO_TARGET_DIR:-$ROOT/target}")
# The MongoDB server of the tests: the caller's, the one on PATH, or the one scripts/setup-mongod.sh fetched.
JPULSE_TEST_MONGOD=${JPULSE_TEST_MONGOD:-$(command -v mongod || echo "$CACHE/mongodb-6.0.5/mongod")}

export PATH CARGO_TARGET_DIR JPULSE_TEST_MONGOD
cd "$ROOT"
