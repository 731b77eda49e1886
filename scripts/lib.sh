# What every script here needs; sourced, never run.
# shellcheck shell=bash

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

# apt_install WHY PACKAGE...: installs those that are missing; WHY is named when that is impossible.
apt_install() {
    local why=$1 package missing=()
    shift
    for package in "$@"; do
        dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q ' installed$' || missing+=("$package")
    done
    [ ${#missing[@]} = 0 ] && return
    can_apt || fail "$why is missing; install it (on Debian: apt-get install ${missing[*]}) and run this again"
    say "Installing ${missing[*]} (up to 2 minutes)"
    local log
    log=$(mktemp)
    apt_run install -y --no-install-recommends "${missing[@]}" >"$log" 2>&1 ||
        { apt_run update && apt_run install -y --no-install-recommends "${missing[@]}"; } >"$log" 2>&1 ||
        { tail -n 5 "$log" >&2; fail "apt-get could not install ${missing[*]}; is the network up? The log is $log"; }
    rm -f "$log"
}

apt_run() {
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 "$@" </dev/null
}
