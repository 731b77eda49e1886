# What stands before the commands of a page. Programs of the checkout are looked up instead of run, and what
# is started is ended.
# shellcheck shell=bash
set -euo pipefail

trap 'kill $(jobs -p) 2>/dev/null || true; wait' EXIT
trap 'echo "failed: ${WHERE:-}" >&2' ERR
# Functions and substitutions report where they failed, too.
set -o errtrace

# What a page has just started takes a moment; a stream has no end.
curl() {
    if [[ $* == */events* ]]; then
        run curl --silent --max-time 10 "$@"
        return
    fi
    command curl --silent --show-error --fail-with-body --max-time 20 \
        --retry 20 --retry-delay 1 --retry-connrefused "$@"
}

# A target there is, without doing what it does.
make() {
    grep -q "^$1:" "$CHECKOUT/Makefile" || {
        echo "the Makefile has no target $1" >&2
        return 1
    }
}

# run PROGRAM …: in the place of the shell where that is one of its own, so that a signal reaches the program.
run() { if [ "$BASHPID" = "$$" ]; then command "$@"; else exec "$@"; fi; }

# Redis is on a port of this test's own, as soon as a page tells an instance of it.
server() {
    if [ -n "${REDIS_HOST:-}" ]; then export REDIS_PORT=$OUR_REDIS_PORT; fi
    run server "$@"
}

redis-cli() {
    local tries=0
    until command redis-cli -p "$OUR_REDIS_PORT" ping >/dev/null 2>&1 || [ $((tries += 1)) -gt 100 ]; do sleep 0.1; done
    command redis-cli -p "$OUR_REDIS_PORT" "$@"
}

redis-server() { run redis-server "$@" --bind 127.0.0.1 --port "$OUR_REDIS_PORT" --save ''; }

# says TEXT COMMAND: the command says TEXT, perhaps after some seconds.
says() {
    local text=$1 command=$2 tries=0 said
    while :; do
        said=$(eval "$command" 2>&1) && [[ $said == *"$text"* ]] && break
        if [ $((tries += 1)) -gt 20 ]; then
            echo "it did not say \"$text\" but: $said" >&2
            return 1
        fi
        sleep 0.5
    done
    printf '%s\n' "$said"
}
