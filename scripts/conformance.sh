#!/usr/bin/env bash
# The Autobahn cases against our sockets: kosoku drives them at examples/echo.rs. Any failed case fails this.
. "$(dirname "$0")/env.sh"

ADDRESS=127.0.0.1:${CONFORMANCE_PORT:-9001}
SUITE=$CACHE/kosoku-0.1.0
REQUIREMENT="kosoku==0.1.0 --hash=sha256:a9b34e593defe29d931e346c88947b58a015495f09dd13643e4cc952c75602ac"

if [ ! -x "$SUITE/bin/kosoku" ]; then
    have python3 || apt_install "Python" python3 python3-venv
    say "Fetching the conformance suite from PyPI (10 seconds)"
    python3 -m venv "$SUITE"
    "$SUITE/bin/pip" install --quiet --disable-pip-version-check --no-deps --require-hashes \
        --requirement <(echo "$REQUIREMENT") || {
        rm -rf "$SUITE"
        fail "pip could not fetch kosoku; is pypi.org reachable?"
    }
fi

say "Building the echo (as long as a release build when there is none)"
cargo build --locked --release --quiet --features app/ssr --package wire --package app --package server \
    --package frontend --example echo
"$CARGO_TARGET_DIR/release/examples/echo" "$ADDRESS" &
ECHO=$!
REPORTS=$(mktemp -d)
trap 'kill "$ECHO"; rm -rf "$REPORTS"' EXIT

say "Running the Autobahn cases (a minute), all but those of compression (12, 13), which is not offered"
until (exec 3<>"/dev/tcp/${ADDRESS/:/\/}") 2>/dev/null; do
    kill -0 "$ECHO" || fail "the echo does not listen on $ADDRESS; name another port in CONFORMANCE_PORT"
    sleep 0.1
done
"$SUITE/bin/kosoku" --exclude '12.*' --exclude '13.*' --parallelism 2 --outdir "$REPORTS" "ws://$ADDRESS"

# A case may also be judged by how the connection ended.
"$SUITE/bin/python3" - "$REPORTS" <<'PYTHON'
import collections, json, pathlib, sys
reports = [json.loads(path.read_text()) for path in pathlib.Path(sys.argv[1]).glob("*_case_*.json")]
verdicts = collections.Counter((report["behavior"], report["behaviorClose"]) for report in reports)
for (behavior, close), count in sorted(verdicts.items()):
    print(f"{count:4} cases: {behavior}, closed {close}")
sys.exit(any(close not in ("OK", "INFORMATIONAL") for _, close in verdicts))
PYTHON
