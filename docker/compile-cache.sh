#!/bin/sh
# Run while the image is built, as the user of the image: serves for a moment, and ends. Node then keeps what it has compiled.
set -eu
export NODE_COMPILE_CACHE=/app/compile-cache
work=$(mktemp -d)
cat > "$work/quotagate.yaml" <<YAML
server: { gateway: 127.0.0.1:8080, admin: 127.0.0.1:9080, ops: 127.0.0.1:9091, drainMs: 0 }
store: { embedded: { path: $work/data } }
log: { level: warn }
identity: { trusted: { peers: [127.0.0.1/32], org: x-quota-org, user: x-quota-user } }
quotas: { requests: { unit: requests } }
upstreams: { none: { url: 'http://127.0.0.1:1' } }
routes: [{ match: GET /*, action: any, upstream: none, charges: [{ quota: requests, units: 1 }] }]
orgs: { sample: { cycle: { every: month }, plans: { requests: { allowance: 1 } } } }
YAML
node /app/dist/main.js serve -c "$work/quotagate.yaml" &
ready='fetch("http://127.0.0.1:9091/readyz").then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))'
until node -e "$ready"; do
  kill -0 $!
  sleep 0.1
done
kill $!
wait $!
rm -r "$work"
