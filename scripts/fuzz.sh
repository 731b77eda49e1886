#!/usr/bin/env bash
# Ten minutes, or FUZZ_SECONDS, of hostile input for every parser of browsers' words, shared out evenly.
# What the runs find interesting is kept, packed, in fuzz/corpus.tar.gz, where the next one begins; a crash is
# left in fuzz/artifacts and fails this.
. "$(dirname "$0")/env.sh"

TARGETS=(endpoint_request relay_request server_frame channel)
SECONDS_EACH=$((${FUZZ_SECONDS:-600} / ${#TARGETS[@]}))
# Parsers of small texts: what takes more than this grows without a bound.
MEMORY_MB=512

cargo +nightly --version >/dev/null 2>&1 || fail "no nightly toolchain; install one with: rustup toolchain install nightly"
have cargo-fuzz || {
    say "Installing cargo-fuzz (2 minutes)"
    cargo install --locked --quiet --root "$CACHE" cargo-fuzz
}

tar --extract --gzip --file fuzz/corpus.tar.gz --directory fuzz
for target in "${TARGETS[@]}"; do
    say "Fuzzing $target for $SECONDS_EACH seconds"
    cargo +nightly fuzz run "$target" -- -max_total_time="$SECONDS_EACH" -rss_limit_mb="$MEMORY_MB" -max_len=4096 \
        -timeout=5 -print_final_stats=1
    cargo +nightly fuzz cmin "$target"
done
tar --create --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner --directory fuzz corpus | gzip -9n >fuzz/corpus.tar.gz
