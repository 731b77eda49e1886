#!/usr/bin/env bash
# promtool, which checks the alerts in deploy/prometheus: taken out of Debian's package, whose server nobody needs here.
. "$(dirname "$0")/env.sh"

have promtool && exit
can_apt || fail "promtool is missing; install it: https://prometheus.io/download/"
say "Fetching promtool from Debian (10 seconds)"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
(cd "$folder" && apt-get download prometheus >/dev/null 2>&1 && dpkg -x prometheus_*.deb .) ||
    fail "apt-get could not download prometheus; is the network up?"
install -D "$folder/usr/bin/promtool" "$CACHE/bin/promtool"
