#!/usr/bin/env bash
# A private Redis and two release instances, on ports 8080 and 8081 (or PORT and the next). Ctrl-C ends all three.
. "$(dirname "$0")/env.sh"

have redis-server || apt_install "Redis" redis-server

FOLDER=$(mktemp -d)
PIDS=()

# Instances first, so that they leave Redis tidily; all by the ids of what was started here.
stop() {
    trap - EXIT INT TERM
    local pid
    for pid in "${PIDS[@]:1}" "${PIDS[@]:0:1}"; do
        kill -TERM "$pid" 2>/dev/null || continue
        wait "$pid" 2>/dev/null || true
    done
    rm -rf "$FOLDER"
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

is_free() { ! (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

first_port=${PORT:-8080}
redis_port=6390
until is_free "$redis_port"; do redis_port=$((redis_port + 1)); done
for port in "$first_port" $((first_port + 1)); do
    is_free "$port" || fail "port $port is taken; end what listens there and run this again"
done

# Job control gives each its own process group: Ctrl-C reaches this script alone, which then ends them in order.
set -m
redis-server --bind 127.0.0.1 --port "$redis_port" --dir "$FOLDER" --save '' --appendonly no >"$FOLDER/redis.log" 2>&1 &
PIDS+=($!)
for instance in 0 1; do
    PORT=$((first_port + instance)) REDIS_HOST=127.0.0.1 REDIS_PORT=$redis_port JPULSE_INSTANCE=$instance \
        JPULSE_DATA_DIR="$FOLDER/data-$instance" "$CARGO_TARGET_DIR/release/server" &
    PIDS+=($!)
done
say "Two instances on http://127.0.0.1:$first_port and http://127.0.0.1:$((first_port + 1)), Redis on $redis_port; Ctrl-C stops them"
# Whichever ends first takes the others with it.
wait -n "${PIDS[@]}"
