#!/usr/bin/env bash
# The newcomer's path, in a fresh clone of what is committed and an empty home: `make run`, open a page, stop.
# With NEWCOMER_TEST=true `make test` follows. Nothing else is done, so nothing else is needed.
# 15 to 30 minutes on 2 cores, an hour more with the tests; the log is shown when something fails.
. "$(dirname "$0")/lib.sh"

# From nothing, on a slow machine with a slow network.
READY_WITHIN_SECONDS=${NEWCOMER_SECONDS:-5400}

have curl || apt_install "curl" curl
have chromium || apt_install "Chromium" chromium

folder=$(mktemp -d)
home=$folder/home
clone=$folder/clone
log=$folder/log
pid=

end() {
    trap - EXIT INT TERM
    # Job control gave it a process group of its own.
    [ -z "$pid" ] || kill -KILL -- "-$pid" 2>/dev/null || true
    rm -rf "$folder"
}
trap end EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# Without what this user has installed, built and set up for this project; with what reaches the network.
path_without_home() {
    local part kept=
    local IFS=:
    for part in $PATH; do
        [[ $part == "$HOME"/* || $part == "$ROOT"/* ]] || kept=$kept${kept:+:}$part
    done
    printf '%s' "$kept"
}

as_newcomer() {
    env -u CARGO_TARGET_DIR -u CARGO_HOME -u RUSTUP_HOME -u RUSTUP_TOOLCHAIN -u XDG_CACHE_HOME -u XDG_CONFIG_HOME \
        -u JPULSE_CACHE -u JPULSE_CONFIG -u JPULSE_TEST_MONGOD -u JPULSE_DATA_DIR -u LEPTOS_SITE_ROOT -u MAKEFLAGS \
        -u MAKELEVEL HOME="$home" PATH="$(path_without_home)" "$@"
}

fail_with_log() {
    tail -n 40 "$log" >&2
    fail "$1"
}

is_free() { ! (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

mkdir "$home"
port=8090
until is_free "$port"; do port=$((port + 1)); done
site=http://127.0.0.1:$port

say "Cloning what is committed"
git clone --quiet "$ROOT" "$clone"
cd "$clone"

say "make run (15 to 30 minutes the first time on 2 cores)"
began=$SECONDS
set -m
PORT=$port as_newcomer make run >"$log" 2>&1 &
pid=$!
set +m
until curl --silent --fail --max-time 5 --output /dev/null "$site/api/1/health/status"; do
    kill -0 "$pid" 2>/dev/null || fail_with_log "make run ended before it served"
    [ $((SECONDS - began)) -lt "$READY_WITHIN_SECONDS" ] || fail_with_log "make run did not serve within $READY_WITHIN_SECONDS s"
    sleep 1
done
say "It serves after $((SECONDS - began)) seconds"

page=$folder/page.html
curl --silent --fail --max-time 10 --output "$page" "$site/" || fail_with_log "the page was not sent"
grep --quiet '<h1>' "$page" || fail_with_log "the page has no heading"
# The mark that WebAssembly leaves when it has brought the page to life.
HOME=$home chromium --headless --no-sandbox --disable-gpu --disable-background-networking --no-first-run \
    --user-data-dir="$folder/browser" --virtual-time-budget=20000 --dump-dom "$site/" >"$page" 2>"$folder/browser.log" || true
grep --quiet 'data-hydrated' "$page" || fail_with_log "the page did not come to life in Chromium"
say "The page is there and alive"

# As Ctrl-C does.
kill -INT -- "-$pid"
wait "$pid" || true
pid=
grep --quiet ' stopping$' "$log" || fail_with_log "it did not stop in order"
is_free "$port" || fail_with_log "something still listens on $port"
say "It stops in order"

if [ "${NEWCOMER_TEST:-false}" = true ]; then
    say "make test (40 minutes more)"
    as_newcomer make test || fail "make test failed"
fi
say "The newcomer's path works"
