/**
 * Keeps webhooks away from what only this machine or its network can reach: an admin of an org must not use the gateway to call internal
 * services. A name is resolved once, only permitted addresses are connected to, and the connected address is checked again.
 */
import { type LookupAddress, lookup } from 'node:dns';
import { isIP, type LookupFunction, type Socket } from 'node:net';
import ipaddr from 'ipaddr.js';
import { Agent, buildConnector } from 'undici';
import { DeliveryError } from '../channels.js';

/** Whether an address may be connected to. */
type Permits = (address: string) => boolean;

/** `allow`: addresses and ranges that are permitted in spite of the rule, such as `10.1.0.0/16`. */
export function addressGuard(allow: readonly string[]): {
  readonly listed: Permits;
  readonly permits: Permits;
} {
  const ranges = allow.map((one) => {
    const text = one.includes('/') ? one : `${one}/${isIP(one) === 4 ? 32 : 128}`;
    return ipaddr.parseCIDR(text);
  });
  const listed = (address: string): boolean => {
    const parsed = plainAddress(address);
    return (
      parsed !== undefined &&
      ranges.some(([from, bits]) => parsed.kind() === from.kind() && parsed.match(from, bits))
    );
  };
  return { listed, permits: (address) => listed(address) || plainAddress(address)?.range() === 'unicast' };
}

/** An IPv4 address in the form of IPv6 is the IPv4 address. */
function plainAddress(text: string): ipaddr.IPv4 | ipaddr.IPv6 | undefined {
  const bare = text.replace(/^\[|\]$/g, '').replace(/%.*$/, '');
  return ipaddr.isValid(bare) ? ipaddr.process(bare) : undefined;
}

const CONNECT_MS = 10_000;

/** Connections of webhooks. `http:` is for listed addresses only: elsewhere everybody on the way could read the notices. */
export function guardedAgent(allow: readonly string[], connectMs = CONNECT_MS): Agent {
  const { listed, permits } = addressGuard(allow);
  const connectors = { https: guarded(permits, connectMs), http: guarded(listed, connectMs) };
  return new Agent({
    // Each message has a connection of its own, so that its address is checked.
    pipelining: 0,
    connect: (options, callback) =>
      connectors[options.protocol === 'https:' ? 'https' : 'http'](options, callback),
  });
}

function guarded(permits: Permits, timeout: number): buildConnector.connector {
  const connect = buildConnector({ timeout, lookup: lookupPermitted(permits) });
  return (options, callback) => {
    const host = options.hostname.replace(/^\[|\]$/g, '');
    // An address is not looked up.
    if (isIP(host) !== 0 && !permits(host)) return callback(refusal(host), null);
    connect(options, (...result) => {
      const [error, socket] = result;
      if (error !== null) return callback(error, null);
      const address = (socket as Socket).remoteAddress ?? '';
      if (permits(address)) return callback(null, socket as Socket);
      socket?.destroy();
      callback(refusal(address), null);
    });
  };
}

function lookupPermitted(permits: Permits): LookupFunction {
  return (host, options, callback) => {
    lookup(host, { ...options, all: true }, (error, addresses: LookupAddress[]) => {
      if (error !== null) return callback(error, '');
      const [first, ...others] = addresses.filter(({ address }) => permits(address));
      if (first === undefined) return callback(refusal(host), '');
      if (options.all === true) callback(null, [first, ...others]);
      else callback(null, first.address, first.family);
    });
  };
}

function refusal(host: string): DeliveryError {
  return new DeliveryError(
    `${host} is an address that webhooks must not reach (loopback, private, link-local or, over http, not listed); list it in webhooks.allow`,
  );
}
