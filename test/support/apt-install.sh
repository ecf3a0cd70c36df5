#!/usr/bin/env bash
# apt-install.sh <command> <Debian package> <size>: installs the package where the command is missing, and says so before.
# Without apt-get, or without the right to install, it does nothing: what needs the command is left out by name.
set -euo pipefail
command -v "$1" >/dev/null 2>&1 && exit
command -v apt-get >/dev/null 2>&1 || exit 0
as_root=()
# No password prompt.
[ "$(id -u)" = 0 ] || as_root=(sudo -n)
echo "installing $2 with apt-get ($3)"
install() {
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$1"
}
{
  # Where the lists of packages are old or missing, they are fetched, and it is tried once more.
  install "$2" 2>/dev/null || { "${as_root[@]}" apt-get update -qq && install "$2"; }
} >/dev/null || echo "$2 cannot be installed"
