#!/usr/bin/env bash
# A private Redis, a private MongoDB and two release instances, on ports 8080 and 8081 (or PORT and the next). Ctrl-C
# ends them all. An instance that ends is started again.
. "$(dirname "$0")/env.sh"

have redis-server || apt_install "Redis" redis-server
scripts/setup-mongod.sh || say "Without MongoDB each instance keeps documents of its own"

FOLDER=$(mktemp -d)
PIDS=()

# Instances first, so that they leave the other two tidily; all by the ids of what was started here.
stop() {
    trap - EXIT INT TERM
    local index
    for ((index = ${#PIDS[@]} - 1; index >= 0; index--)); do
        kill -TERM "${PIDS[index]}" 2>/dev/null || continue
        wait "${PIDS[index]}" 2>/dev/null || true
    done
    rm -rf "$FOLDER"
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

is_free() { ! (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# free_port FROM: that port, or the first free one behind it.
free_port() {
    local port=$1
    until is_free "$port"; do port=$((port + 1)); done
    printf '%s' "$port"
}

# await PORT LOG: until something listens there.
await() {
    local tries=0
    while is_free "$1"; do
        [ $((tries += 1)) -lt 300 ] || { cat "$2" >&2; fail "nothing listens on port $1 after 30 seconds"; }
        sleep 0.1
    done
}

first_port=${PORT:-8080}
for port in "$first_port" $((first_port + 1)); do
    is_free "$port" || fail "port $port is taken; end what listens there and run this again"
done

# Job control gives each its own process group: Ctrl-C reaches this script alone, which then ends them in order.
set -m
redis_port=$(free_port 6390)
redis-server --bind 127.0.0.1 --port "$redis_port" --dir "$FOLDER" --save '' --appendonly no >"$FOLDER/redis.log" 2>&1 &
PIDS+=($!)
await "$redis_port" "$FOLDER/redis.log"
stores=Redis
if "$JPULSE_TEST_MONGOD" --version >/dev/null 2>&1; then
    mongodb_port=$(free_port 27090)
    mkdir "$FOLDER/mongodb"
    "$JPULSE_TEST_MONGOD" --bind_ip 127.0.0.1 --port "$mongodb_port" --dbpath "$FOLDER/mongodb" --quiet \
        >"$FOLDER/mongodb.log" 2>&1 &
    PIDS+=($!)
    await "$mongodb_port" "$FOLDER/mongodb.log"
    export MONGODB_URI=mongodb://127.0.0.1:$mongodb_port/jpulse
    stores="Redis and MongoDB"
fi
PORT=$first_port REDIS_HOST=127.0.0.1 REDIS_PORT=$redis_port JPULSE_DATA_DIR="$FOLDER/data" \
    "$CARGO_TARGET_DIR/release/server" --instances 2 &
PIDS+=($!)
say "Two instances on http://127.0.0.1:$first_port and http://127.0.0.1:$((first_port + 1)) with $stores; Ctrl-C stops them"
# Whichever ends first takes the others with it.
wait -n "${PIDS[@]}"
