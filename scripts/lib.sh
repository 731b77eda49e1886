# What every script here needs; sourced, never run.
# shellcheck shell=bash disable=SC2034

set -euo pipefail

# The checkout, whatever the caller's folder.
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# What is downloaded or built once for all checkouts of this machine.
CACHE=${JPULSE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/jpulse}

# Says what happens now, and roughly how long it takes.
say() { printf '==> %s\n' "$*" >&2; }

# Stops with one line: what is wrong and what cures it.
fail() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}

have() { command -v "$1" >/dev/null 2>&1; }

# Whether this is Debian or one of its children, and we may install packages.
can_apt() { have apt-get && { [ "$(id -u)" = 0 ] || have sudo; }; }

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

# Of the next `apt_install`.
APT_OPTIONS=()

# apt_install WHY PACKAGE...: installs or renews packages; WHY is named when that is impossible.
apt_install() {
    local why=$1 log
    shift
    can_apt || fail "$why is missing; install it (on Debian: apt-get install $*) and run this again"
    say "Installing $* (up to 2 minutes)"
    log=$(mktemp)
    {
        # Without it, an old package may be found and a new one missed. Fails without a network, which may do.
        apt_run update || true
        apt_run install -y --no-install-recommends "${APT_OPTIONS[@]}" "$@"
    } >"$log" 2>&1 || {
        tail -n 5 "$log" >&2
        fail "apt-get could not install $*; is the network up? The log is $log"
    }
    rm -f "$log"
}

apt_run() {
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 "$@" </dev/null
}
