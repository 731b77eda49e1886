#!/usr/bin/env bash
# Rust with clippy and rustfmt, able to compile for the browser.
#
# Where rustup is there, it adds the target. Where it cannot download, Debian's packages do: they
# hold the source of std, which is compiled for the browser once.
. "$(dirname "$0")/env.sh"

is_complete() { [ "${HAS_TOOLCHAIN:-yes}" = yes ] && cargo fmt --version && cargo clippy --version; } >/dev/null 2>&1

is_complete && exit
have cc || apt_install "a C compiler" gcc libc6-dev

if have rustup; then
    say "Adding the browser target to rustup's Rust (20 seconds, where rustup can download)"
    # Its own retries take minutes where there is no way out.
    timeout 90 rustup component add clippy rustfmt </dev/null >/dev/null 2>&1 || true
    timeout 90 rustup target add wasm32-unknown-unknown </dev/null >/dev/null 2>&1 || true
    choose_toolchain && HAS_TOOLCHAIN=yes
    is_complete && exit
    say "rustup could not; taking Debian's Rust instead"
fi

can_apt || fail "no Rust that compiles for the browser; install it with https://rustup.rs, then run: rustup target add wasm32-unknown-unknown"
# Of Rust's sources only std's are wanted: a tenth of the files, which is minutes on a slow disk.
for folder in src compiler tests; do
    APT_OPTIONS+=(-o "Dpkg::Options::=--path-exclude=/usr/src/rustc-?.??.?/$folder/*")
done
apt_install "Rust" rustc-web cargo-web rust-web-src rust-web-clippy rustfmt-web ca-certificates
APT_OPTIONS=()
PATH="/usr/bin:$PATH"
is_new_enough || fail "Debian's $(rustc --version) is too old; add Debian's security updates to apt's sources, or install https://rustup.rs"

# The linker must be of the LLVM that rustc was built with.
llvm=$(rustc -vV | sed -n 's/^LLVM version: \([0-9]*\).*/\1/p')
apt_install "the linker for WebAssembly" "lld-$llvm"
have rust-lld || as_root ln -sfn "/usr/bin/lld-$llvm" /usr/local/bin/rust-lld
compiles_wasm && exit

say "Compiling Rust's standard library for the browser, once (1 minute)"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/src"
touch "$folder/src/lib.rs"
printf '[package]\nname = "std-for-the-browser"\nedition = "2021"\n[lib]\ncrate-type = ["cdylib"]\n' >"$folder/Cargo.toml"
(
    cd "$folder"
    RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1 RUSTFLAGS="-C embed-bitcode=yes" CARGO_TARGET_DIR="$folder/target" \
        /usr/bin/cargo build --quiet --release -Z build-std=std,panic_abort --target wasm32-unknown-unknown
) || fail "std did not compile for the browser; the lines above say why (often: crates.io cannot be reached)"

libraries=$(rustc --print target-libdir --target wasm32-unknown-unknown)
as_root rm -rf "$libraries"
as_root mkdir -p "$libraries"
as_root cp "$folder"/target/wasm32-unknown-unknown/release/deps/lib*.rlib "$libraries/"
compiles_wasm || fail "Debian's Rust still cannot compile for the browser; try: apt-get install --reinstall rustc-web rust-web-src lld-$llvm"
