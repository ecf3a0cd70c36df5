/** Checks across values: names that must exist, routes that hide others, settings that exclude each other. */
import { foldedName } from '../http/field-names.js';
import { type ChargeItem, charges, fitsUnits } from '../quota/charge.js';
import { type Issue, issue, type Path } from './issues.js';
import { hides, type Match, parseMatch } from './match.js';
import { checkOrg } from './org-check.js';
import {
  checkAmount,
  type DeepPartial,
  entries,
  items,
  lacks,
  type PartialConfig,
  unitsOf,
  unknownName,
} from './partial-config.js';
import type { ChargeConfig, JwtConfig, LlmConfig, RouteConfig, UpstreamConfig } from './schema.js';
import { storeLogins } from './store-logins.js';
import { type Address, OFF, PUBLIC_ALGORITHMS, parseAddress, SECRET_ALGORITHMS } from './values.js';

export function* crossCheck(config: PartialConfig): Generator<Issue> {
  yield* checkServer(config);
  yield* checkStore(config);
  yield* checkSmtp(config);
  yield* checkIdentity(config);
  for (const [name, upstream] of entries(config.upstreams)) {
    yield* checkLoop(config, upstream, ['upstreams', name]);
    yield* checkPassHeaders(config, upstream, ['upstreams', name]);
  }
  for (const [index, route] of items(config.routes)) yield* checkRoute(config, route, ['routes', index]);
  yield* checkOrder(config);
  yield* checkModels(config);
  for (const [id, org] of entries(config.orgs)) yield* checkOrg(config, org, ['orgs', id]);
}

function* checkServer(config: PartialConfig): Generator<Issue> {
  const before: [listener: string, text: string, address: Address][] = [];
  const { gateway, admin, ops } = config.server ?? {};
  for (const [listener, text] of entries({ gateway, admin, ops })) {
    const address = parseAddress(text);
    if (address === undefined) continue;
    const [other, taken] = before.find(([, , earlier]) => collide(earlier, address)) ?? [];
    if (other !== undefined)
      yield issue(['server', listener], `\`${other}\` listens on ${taken} already`, 'write another port');
    before.push([listener, text, address]);
  }
  if (admin === OFF) yield* checkWithoutAdmin(config);
}

/** Settings that only the admin listener uses. */
function* checkWithoutAdmin({ server, admin }: PartialConfig): Generator<Issue> {
  const without: [Path, unknown][] = [
    [['server', 'adminTls'], server?.adminTls],
    [['admin', 'bootstrapTokenFile'], admin?.bootstrapTokenFile],
    [['admin', 'oidc'], admin?.oidc],
  ];
  for (const [path, value] of without)
    if (value !== undefined)
      yield issue(path, '`server.admin` is off', 'remove it, or write an address there');
}

/** An upstream that is the gateway: each of its requests would be forwarded again, until no connection is left. */
function* checkLoop(
  { server }: PartialConfig,
  { url: text }: DeepPartial<UpstreamConfig>,
  path: Path,
): Generator<Issue> {
  const gateway = server?.gateway === undefined ? undefined : parseAddress(server.gateway);
  if (gateway === undefined || text === undefined || text.startsWith('unix:')) return;
  const url = new URL(text);
  const port = Number(url.port === '' ? DEFAULT_PORTS[url.protocol] : url.port);
  if (port !== gateway.port || !reaches(hostOf(url.hostname), hostOf(gateway.host))) return;
  const message = `this is the gateway itself, which listens on ${server?.gateway}: requests would never end`;
  yield issue([...path, 'url'], message, 'write the address of the server behind the gateway');
}

const DEFAULT_PORTS: Readonly<Record<string, string>> = { 'http:': '80', 'https:': '443' };
const LOOPBACK = /^(?:localhost|127\.\d+\.\d+\.\d+|::1|::ffff:7f[0-9a-f]{2}:[0-9a-f]+)$/;

/** Without brackets, in the one form that URLs have. */
function hostOf(host: string): string {
  const bracketed = host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
  if (!URL.canParse(`http://${bracketed}`)) return host;
  return new URL(`http://${bracketed}`).hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '');
}

/** Whether a connection to `host` comes to a listener on `listener`. To connect to all addresses is to connect to this machine. */
function reaches(host: string, listener: string): boolean {
  const isHere = LOOPBACK.test(host) || ALL_ADDRESSES.includes(host);
  return host === listener || (isHere && (LOOPBACK.test(listener) || ALL_ADDRESSES.includes(listener)));
}

const ALL_ADDRESSES = ['0.0.0.0', '::'];

/** Port 0 never collides; a listener on all addresses collides with each address. */
function collide(a: Address, b: Address): boolean {
  if (a.port !== b.port || a.port === 0) return false;
  return a.host === b.host || [a, b].some(({ host }) => ALL_ADDRESSES.includes(host));
}

function* checkStore({ store }: PartialConfig): Generator<Issue> {
  if (store === undefined) return;
  if ('redis' in store && store.redis !== undefined) {
    if (store.passwordFile !== undefined && new URL(store.redis).password !== '')
      yield issue(
        ['store', 'passwordFile'],
        'the URL also holds a password',
        'remove the password from the URL',
      );
    if (store.tls !== undefined && !store.redis.startsWith('rediss://'))
      yield issue(
        ['store', 'tls'],
        'the URL is not `rediss://`',
        'write rediss://host:port, or remove `tls`',
      );
  }
  for (const { login, path } of storeLogins(store))
    if (login.password !== undefined && login.passwordFile !== undefined)
      yield issue([...path, 'passwordFile'], '`password` is set too', 'keep one of the two');
}

function* checkSmtp({ smtp }: PartialConfig): Generator<Issue> {
  if (smtp === undefined) return;
  const { security, username, password, passwordFile } = smtp;
  const hasPassword = password !== undefined || passwordFile !== undefined;
  if (password !== undefined && passwordFile !== undefined)
    yield issue(['smtp', 'passwordFile'], '`password` is set too', 'keep one of the two');
  if (username === undefined && hasPassword)
    yield issue(['smtp'], 'a password without `username`', 'add `username`, or remove the password');
  if (username !== undefined && !hasPassword)
    yield issue(
      ['smtp', 'username'],
      'a user without a password',
      'add `passwordFile`, or remove `username`',
    );
  if (security === 'none' && username !== undefined)
    yield issue(['smtp', 'security'], 'the password would be sent without TLS', 'write starttls or tls');
}

function* checkIdentity(config: PartialConfig): Generator<Issue> {
  const { identity, routes } = config;
  const [needy] = items(routes).filter(([, route]) => route.identity === 'required');
  if (
    identity !== undefined &&
    !('trusted' in identity || 'apiKeys' in identity || 'jwt' in identity) &&
    needy !== undefined
  ) {
    const message = `routes need an identity (the first is /routes/${needy[0]}), but no source is configured`;
    yield issue(['identity'], message, 'add `trusted`, `apiKeys` or `jwt`');
  }
  const taken = new Map<string, string>();
  for (const { path, name } of identityHeaders(config)) {
    const [place, key] = path.slice(1);
    const other = taken.get(name);
    if (other !== undefined)
      yield issue(path, `\`${other}\` has this header already`, 'write another header');
    taken.set(name, place === 'trusted' ? String(key) : `${place}.${key}`);
  }
  if (identity?.jwt !== undefined) yield* checkAlgorithms(identity.jwt, ['identity', 'jwt', 'algorithms']);
}

/** The headers that identify the caller, and the settings that name them. */
function* identityHeaders({ identity }: PartialConfig): Generator<{ path: Path; name: string }> {
  const { org, user, groups } = identity?.trusted ?? {};
  for (const [key, name] of entries({ org, user, groups }))
    yield { path: ['identity', 'trusted', key], name };
  // API keys and JWTs may share a header: their prefixes differ.
  for (const [index, key] of items(identity?.apiKeys?.headers))
    if (key !== identity?.jwt?.header) yield { path: ['identity', 'apiKeys', 'headers', index], name: key };
  const token = identity?.jwt?.header;
  if (token !== undefined) yield { path: ['identity', 'jwt', 'header'], name: token };
}

/** A header that a server could read as an identity header or as a header the gateway sets is never passed. */
function* checkPassHeaders(
  config: PartialConfig,
  upstream: DeepPartial<UpstreamConfig>,
  path: Path,
): Generator<Issue> {
  const taken = new Set([...identityHeaders(config)].map(({ name }) => name));
  for (const [name] of entries(upstream.setHeaders)) taken.add(name);
  for (const [index, name] of items(upstream.passHeaders)) {
    const folded = foldedName(name);
    if (!taken.has(folded)) continue;
    const message = `a server can read \`${name}\` as \`${folded}\`, which callers must not send`;
    yield issue([...path, 'passHeaders', index], message, 'remove it');
  }
}

/**
 * Public and shared keys are never combined: otherwise a caller could use the public key as a shared secret and sign
 * tokens with it.
 */
function* checkAlgorithms(jwt: DeepPartial<JwtConfig>, path: Path): Generator<Issue> {
  const shared = 'secret' in jwt;
  const source = shared ? 'secret' : 'jwksUrl' in jwt ? 'jwksUrl' : 'jwksFile';
  const fitting: readonly string[] = shared ? SECRET_ALGORITHMS : PUBLIC_ALGORITHMS;
  for (const [index, algorithm] of items(jwt.algorithms)) {
    if (fitting.includes(algorithm)) continue;
    const needs = shared
      ? 'a public key, but `secret` is a shared secret'
      : `a shared secret, but \`${source}\` holds public keys`;
    const hint = shared
      ? `write ${fitting.join(', ')}, or use \`jwksUrl\``
      : 'write another, or use `secret`';
    yield issue([...path, index], `${algorithm} needs ${needs}`, hint);
  }
}

function* checkRoute(config: PartialConfig, route: DeepPartial<RouteConfig>, path: Path): Generator<Issue> {
  const { upstream } = route;
  if (lacks(config.upstreams, upstream))
    yield unknownName([...path, 'upstream'], { kind: 'upstream', name: upstream, map: config.upstreams });
  yield* checkPrefix(route, path);
  const { store } = config;
  const whenDown = 'whenDown' in route ? route.whenDown : undefined;
  if (typeof whenDown === 'object' && store !== undefined && 'embedded' in store) {
    const message = '`whenDown` applies to a Redis store only';
    yield issue([...path, 'whenDown'], message, 'remove it, or set `store.redis`');
  }
  yield* checkReplays(route, path);
  yield* checkSum(config, route, path);
  for (const [index, charge] of items(route.charges)) {
    const at = [...path, 'charges', index];
    const { quota } = charge;
    if (lacks(config.quotas, quota))
      yield unknownName([...at, 'quota'], { kind: 'quota', name: quota, map: config.quotas });
    if ('hold' in charge) {
      yield* checkAmount(config, { quota, amount: charge.hold, path: [...at, 'hold'] });
      yield* checkAmount(config, { quota, amount: charge.floor, path: [...at, 'floor'] });
      yield* checkAlone(route, charge, at);
    } else if ('llm' in charge) {
      yield* checkAlone(route, charge, at);
      yield* checkAgreement(route, charge.llm, [...at, 'llm']);
    } else if ('units' in charge)
      yield* checkUnits(config, { quota, units: charge.units, path: [...at, 'units'] });
  }
}

/** Fixed charges on the same quota are summed. */
function* checkSum(config: PartialConfig, route: DeepPartial<RouteConfig>, path: Path): Generator<Issue> {
  const costs = items(route.charges).flatMap(([, charge]): ChargeItem[] => {
    const fixed = 'units' in charge && typeof charge.units !== 'object' ? charge.units : undefined;
    const units = unitsOf(config, charge.quota, fixed);
    return units === undefined ? [] : [{ quota: charge.quota ?? '', units, kind: 'fixed' }];
  });
  const large = charges('', costs).items.find((item) => !fitsUnits({ items: [item] }));
  if (large === undefined) return;
  const message = `the sum of the charges on \`${large.quota}\` is too large`;
  yield issue([...path, 'charges'], message, 'write smaller amounts');
}

/** A route without cost does not need replays. */
function* checkReplays(route: DeepPartial<RouteConfig>, path: Path): Generator<Issue> {
  if (!('replayHeader' in route) || route.replayHeader === undefined || route.charges === undefined) return;
  if (route.charges.some((charge) => charge === undefined || !('gate' in charge))) return;
  yield issue(
    [...path, 'replayHeader'],
    'this route is free, so replays make no difference',
    'remove it, or add a charge',
  );
}

/** Every path that the route matches must begin with `stripPrefix`. */
function* checkPrefix({ match, stripPrefix }: DeepPartial<RouteConfig>, path: Path): Generator<Issue> {
  if (match === undefined || stripPrefix === undefined) return;
  const segments = parseMatch(match)?.segments ?? [];
  const exact = segments.map((segment) => ('exact' in segment ? segment.exact : ''));
  const prefix = stripPrefix.slice(1).split('/');
  if (prefix.every((segment, index) => segment !== '' && segment === exact[index])) return;
  const message = `not every path that \`${match}\` matches begins with ${stripPrefix}`;
  yield issue([...path, 'stripPrefix'], message, 'write exact segments that `match` begins with');
}

/** A charge that is settled from the response must be the only one on its quota: the sum could not be split. */
function* checkAlone(
  route: DeepPartial<RouteConfig>,
  charge: DeepPartial<ChargeConfig>,
  path: Path,
): Generator<Issue> {
  const others = items(route.charges).filter(
    ([, other]) => other.quota === charge.quota && !('gate' in other),
  );
  if (others.length > 1) {
    const message = 'a charge that depends on the response must be the only one on its quota';
    yield issue([...path, 'quota'], message, 'remove the other charge on this quota, or use another quota');
  }
}

/** All AI charges of a route must read the request in the same way. */
function* checkAgreement(
  route: DeepPartial<RouteConfig>,
  llm: DeepPartial<LlmConfig> | undefined,
  path: Path,
): Generator<Issue> {
  const [first] = items(route.charges).flatMap(([, charge]) => ('llm' in charge ? [charge.llm] : []));
  if (first === undefined || llm === undefined || first === llm) return;
  for (const [key, value] of entries(first)) {
    if (key === 'weights' || key === 'per' || llm[key as keyof typeof llm] === value) continue;
    yield issue(
      [...path, key],
      'the AI charges of one route must agree on this setting',
      `write ${String(value)}, as in the first charge`,
    );
  }
}

interface UnitsSpot {
  readonly quota: string | undefined;
  readonly units: DeepPartial<Extract<ChargeConfig, { units: unknown }>['units']> | undefined;
  readonly path: Path;
}

function* checkUnits(config: PartialConfig, { quota, units, path }: UnitsSpot): Generator<Issue> {
  if (typeof units !== 'object') {
    yield* checkAmount(config, { quota, amount: units, path });
    return;
  }
  if ('json' in units)
    yield* checkAmount(config, { quota, amount: units.default, path: [...path, 'default'] });
  const header = 'header' in units ? units.header : undefined;
  if ([...identityHeaders(config)].some(({ name }) => name === header)) {
    const message = `\`${header}\` identifies the caller, so it cannot carry the cost`;
    yield issue([...path, 'header'], message, 'write another header');
  }
}

/** The first entry that matches wins, so a later one can be unreachable. */
function* checkModels({ models }: PartialConfig): Generator<Issue> {
  const before: { index: number; pattern: string }[] = [];
  for (const [index, { match }] of items(models)) {
    if (match === undefined) continue;
    const pattern = match.toLowerCase();
    const first = before.find((earlier) => covers(earlier.pattern, pattern));
    if (first !== undefined) {
      const message = `no model can match this entry: /models/${first.index} (\`${first.pattern}\`) matches them all`;
      yield issue(['models', index, 'match'], message, 'move it before that one, or remove it');
    }
    before.push({ index, pattern });
  }
}

/** Whether `earlier` matches every name that `later` matches; a star in `later` needs a star in `earlier`. */
function covers(earlier: string, later: string): boolean {
  const pattern = earlier.split('*').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${pattern.join('.*')}$`, 's').test(later);
}

/** The first route that matches wins, so a later one can be unreachable. */
function* checkOrder(config: PartialConfig): Generator<Issue> {
  const own = config.quotaPath === undefined ? undefined : parseMatch(`GET ${config.quotaPath}`);
  const before: { what: string; match: Match }[] = [];
  if (own !== undefined) before.push({ what: `the caller’s own figures (\`quotaPath\`)`, match: own });
  for (const [index, { match: text }] of items(config.routes)) {
    const match = text === undefined ? undefined : parseMatch(text);
    if (match === undefined) continue;
    const first = before.find((earlier) => hides(earlier.match, match));
    if (first !== undefined) {
      const message = `no request can reach this route: ${first.what} matches them all`;
      yield issue(['routes', index, 'match'], message, 'move it before that one, or remove it');
    }
    before.push({ what: `/routes/${index} (\`${text}\`)`, match });
  }
}
