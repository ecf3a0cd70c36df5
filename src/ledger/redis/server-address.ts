/** Selects the server of a connection, and its credentials. Passwords and certificates are read at every connection. */
import type { ConnectionOptions as TlsOptions } from 'node:tls';
import type { RedisOptions } from 'ioredis';

/** Mapping of replies exists for RESP3 only. */
export type ClientOptions = Omit<RedisOptions, 'replyMapping'>;

export interface ServerAddress {
  /** redis://host:port, rediss://host:port or unix:///path of a socket. */
  readonly url?: string;
  /** Instead of a URL: the master that the Sentinels name. */
  readonly sentinel?: SentinelAddress;
  /** In place of both: a node of a Cluster. */
  readonly node?: HostAndPort;
  readonly username?: string | undefined;
  readonly password?: (() => string) | undefined;
  readonly tls?: (() => TlsOptions) | undefined;
}

export interface SentinelAddress {
  readonly name: string;
  readonly hosts: readonly HostAndPort[];
  readonly database: number;
  readonly username?: string | undefined;
  readonly password?: (() => string) | undefined;
}

export interface HostAndPort {
  readonly host: string;
  readonly port: number;
}

const SENTINEL_COMMAND_MS = 1_000;
/** A replaced master may hang, or its host may be down. Neither is awaited. */
const QUICK = { connectTimeout: 1_000, disconnectTimeout: 100 };

/**
 * Options of ioredis for the address. `delayMs`: the delay before the Sentinels are asked again if none answered; null:
 * give up.
 */
export function addressOptions(address: ServerAddress, delayMs: () => number | null): ClientOptions {
  const { sentinel, node, username } = address;
  const login = username === undefined ? {} : { username };
  if (sentinel === undefined) return node === undefined ? login : { ...login, ...node, ...QUICK };
  return {
    ...login,
    ...QUICK,
    sentinels: sentinel.hosts.map(({ host, port }) => ({ host, port })),
    name: sentinel.name,
    role: 'master',
    db: sentinel.database,
    enableTLSForSentinelMode: address.tls !== undefined,
    ...(sentinel.username === undefined ? {} : { sentinelUsername: sentinel.username }),
    sentinelCommandTimeout: SENTINEL_COMMAND_MS,
    sentinelRetryStrategy: delayMs,
    // ioredis' own detector stops the client permanently if it learns of a new master while it connects: see
    // sentinel-watch.ts.
    failoverDetector: false,
  };
}

const UNKNOWN_NAME =
  / sentinel (\S+) (?:successfully, but got an invalid reply: null|because ERR No such master with that name)$/;

/** The error of a Sentinel, in terms of the config. */
export function sentinelError({ message }: Error, { name }: SentinelAddress): Error {
  const place = UNKNOWN_NAME.exec(message)?.[1];
  return new Error(
    place === undefined ? message : `the Sentinel ${place} knows no master ${JSON.stringify(name)}`,
  );
}

/** Returns the present passwords and certificates. Throws if one cannot be read. */
export function secretOptions({ password, tls, sentinel }: ServerAddress): ClientOptions {
  const certificates = tls?.();
  return {
    ...(password === undefined ? {} : { password: password() }),
    ...(certificates === undefined ? {} : { tls: certificates }),
    ...(sentinel === undefined || certificates === undefined ? {} : { sentinelTLS: certificates }),
    ...(sentinel?.password === undefined ? {} : { sentinelPassword: sentinel.password() }),
  };
}
