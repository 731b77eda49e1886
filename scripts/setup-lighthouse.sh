#!/usr/bin/env bash
# Lighthouse, for `make lighthouse`; prints where its program is.
. "$(dirname "$0")/lib.sh"

version=12.8.2
folder="$CACHE/lighthouse-$version"
program="$folder/node_modules/.bin/lighthouse"
if [ ! -x "$program" ]; then
    say "Fetching Lighthouse from npm (a minute)"
    npm install --prefix "$folder" --no-audit --no-fund --loglevel=error "lighthouse@$version" >&2 ||
        fail "npm could not fetch lighthouse@$version; is registry.npmjs.org reachable?"
fi
printf '%s\n' "$program"
