/** What no single value shows: names that must exist, routes that hide others, settings that exclude each other. */
import { hides, type Match, parseMatch } from './match.js';
import { type Finding, finding, type Path } from './mistakes.js';
import { checkOrg } from './org-check.js';
import type { ChargeConfig, RouteConfig } from './schema.js';
import { type ConfigSketch, checkAmount, entries, items, lacks, type Sketch, unknownName } from './sketch.js';
import { parseAddress } from './values.js';

export function* crossCheck(config: ConfigSketch): Generator<Finding> {
  yield* checkServer(config);
  yield* checkStore(config);
  yield* checkIdentity(config);
  for (const [index, route] of items(config.routes)) yield* checkRoute(config, route, ['routes', index]);
  yield* checkOrder(config);
  for (const [id, org] of entries(config.orgs)) yield* checkOrg(config, org, ['orgs', id]);
}

function* checkServer(config: ConfigSketch): Generator<Finding> {
  const taken = new Map<string, string>();
  for (const [listener, text] of entries(config.server)) {
    const port = parseAddress(text)?.port;
    const other = taken.get(text);
    if (other !== undefined && port !== 0)
      yield finding(['server', listener], `\`${other}\` listens on ${text} already`, 'write another port');
    taken.set(text, listener);
  }
}

function* checkStore({ store }: ConfigSketch): Generator<Finding> {
  if (store === undefined || !('redis' in store) || store.redis === undefined) return;
  if (store.passwordFile !== undefined && new URL(store.redis).password !== '')
    yield finding(
      ['store', 'passwordFile'],
      'the URL holds a password already',
      'keep the file, and clear the URL',
    );
}

function* checkIdentity(config: ConfigSketch): Generator<Finding> {
  const { identity, routes } = config;
  const [needy] = items(routes).filter(([, route]) => route.identity === 'required');
  if (identity !== undefined && !('trusted' in identity) && needy !== undefined) {
    const message = `routes need an identity (the first is /routes/${needy[0]}), and nothing here provides one`;
    yield finding(['identity'], message, 'add `trusted`');
  }
  const taken = new Map<string, string>();
  const { org, user, groups } = identity?.trusted ?? {};
  for (const [key, name] of entries({ org, user, groups })) {
    const other = taken.get(name);
    if (other !== undefined)
      yield finding(
        ['identity', 'trusted', key],
        `\`${other}\` has this header already`,
        'write another header',
      );
    taken.set(name, key);
  }
}

function* checkRoute(config: ConfigSketch, route: Sketch<RouteConfig>, path: Path): Generator<Finding> {
  const { upstream } = route;
  if (lacks(config.upstreams, upstream))
    yield unknownName([...path, 'upstream'], 'upstream', upstream, config.upstreams);
  for (const [index, charge] of items(route.charges)) {
    const at = [...path, 'charges', index];
    const { quota } = charge;
    if (lacks(config.quotas, quota)) yield unknownName([...at, 'quota'], 'quota', quota, config.quotas);
    if ('hold' in charge) {
      yield* checkAmount(config, quota, charge.hold, [...at, 'hold']);
      yield* checkAmount(config, quota, charge.floor, [...at, 'floor']);
      yield* checkAlone(route, charge, at);
    } else if ('units' in charge) yield* checkUnits(config, quota, charge.units, [...at, 'units']);
  }
}

/** Of a sum that is settled later, no part could be settled apart. */
function* checkAlone(
  route: Sketch<RouteConfig>,
  charge: Sketch<ChargeConfig>,
  path: Path,
): Generator<Finding> {
  const others = items(route.charges).filter(
    ([, other]) => other.quota === charge.quota && !('gate' in other),
  );
  if (others.length > 1) {
    const message = 'a cost that the answer tells is the only one of its quota on a route';
    yield finding([...path, 'quota'], message, 'remove the other charge on this quota, or use another quota');
  }
}

function* checkUnits(
  config: ConfigSketch,
  quota: string | undefined,
  units: Sketch<Extract<ChargeConfig, { units: unknown }>['units']> | undefined,
  path: Path,
): Generator<Finding> {
  if (typeof units !== 'object') {
    yield* checkAmount(config, quota, units, path);
    return;
  }
  const { org, user, groups } = config.identity?.trusted ?? {};
  const header = 'header' in units ? units.header : undefined;
  if (header !== undefined && [org, user, groups].includes(header)) {
    const message = `\`${header}\` says who calls, so it cannot say what the call costs`;
    yield finding([...path, 'header'], message, 'write another header');
  }
}

/** The first route that matches wins, so a later one may never be reached. */
function* checkOrder(config: ConfigSketch): Generator<Finding> {
  const own = config.quotaPath === undefined ? undefined : parseMatch(`GET ${config.quotaPath}`);
  const before: { what: string; match: Match }[] = [];
  if (own !== undefined) before.push({ what: `the caller’s own figures (\`quotaPath\`)`, match: own });
  for (const [index, { match: text }] of items(config.routes)) {
    const match = text === undefined ? undefined : parseMatch(text);
    if (match === undefined) continue;
    const first = before.find((earlier) => hides(earlier.match, match));
    if (first !== undefined) {
      const message = `no request can reach this route: ${first.what} takes them all`;
      yield finding(['routes', index, 'match'], message, 'move it before that one, or remove it');
    }
    before.push({ what: `/routes/${index} (\`${text}\`)`, match });
  }
}
