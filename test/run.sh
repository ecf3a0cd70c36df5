#!/usr/bin/env bash
# The whole test suite, on a fresh machine too: installs what the tests need, builds, and runs them.
set -euo pipefail
cd "$(dirname "$0")/.."

need() { # command, Debian package
  command -v "$1" >/dev/null 2>&1 && return
  echo "installing $2"
  local as_root=()
  [ "$(id -u)" = 0 ] || as_root=(sudo)
  [ -n "${apt_updated:-}" ] || "${as_root[@]}" apt-get update -qq
  apt_updated=yes
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$2" >/dev/null
}

if command -v apt-get >/dev/null 2>&1; then
  need redis-server redis-server || echo "redis-server cannot be installed: its tests are left out"
fi
[ -d node_modules ] || npm ci --silent
# What the chart's tests need; without it they are left out by name, or fail with CI=true.
bash test/support/deploy-tools.sh >/dev/null 2>&1 || true
npm run --silent build
# tap's plugins are put together once an install; tests that start before that find none.
npx tap build >/dev/null
npx tap run "${@:---reporter=terse}"
