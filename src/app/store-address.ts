/** Where the store of a config is, and the files that its connections read. */
import { readFileSync } from 'node:fs';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import type { Path } from '../config/issues.js';
import type { DeepPartial, PartialConfig } from '../config/partial-config.js';
import type { StoreAccess, StoreConfig, StoreLogin, StoreTls } from '../config/schema.js';
import { passwordIn } from '../config/secret.js';
import { storeLogins } from '../config/store-logins.js';
import { parseAddress } from '../config/values.js';
import type { ClusterAddress } from '../ledger/redis/cluster.js';
import type { HostAndPort, ServerAddress } from '../ledger/redis/server-address.js';
import { filesTogether, type Outside } from './outside.js';

type StoreAddress = ServerAddress & { readonly cluster?: ClusterAddress };
type RemoteStore = Exclude<StoreConfig, { embedded: unknown }>;

/** The setting that names the store. */
export function storeSetting(store: StoreConfig): string {
  if ('embedded' in store) return 'store.embedded.path';
  if ('redis' in store) return 'store.redis';
  return 'sentinel' in store ? 'store.sentinel' : 'store.cluster';
}

/** Passwords and certificates are read at every connection. */
export function storeAddress(store: RemoteStore): StoreAddress {
  if ('redis' in store) return { url: store.redis, password: passwordOf(store), tls: tlsOf(store) };
  if ('cluster' in store) {
    const { hosts, ...access } = store.cluster;
    // A call that is refused while its slot moves is sent again as long as somebody waits for it.
    return { cluster: { hosts: addressesOf(hosts), retryMs: store.deadlineMs }, ...accessOf(access) };
  }
  const { name, hosts, database, sentinelAuth = {}, ...access } = store.sentinel;
  return {
    sentinel: {
      name,
      hosts: addressesOf(hosts),
      database,
      username: sentinelAuth.username,
      password: passwordOf(sentinelAuth),
    },
    ...accessOf(access),
  };
}

function accessOf({ username, ...access }: StoreAccess): ServerAddress {
  return { username, password: passwordOf(access), tls: tlsOf(access) };
}

function tlsOf({ tls }: Pick<StoreAccess, 'tls'>): ServerAddress['tls'] {
  return tls === undefined ? undefined : () => readTls(tls);
}

function addressesOf(hosts: readonly string[]): HostAndPort[] {
  return hosts.map((text) => {
    const address = parseAddress(text);
    if (address === undefined) throw new Error(`${text} is not host:port`);
    return address;
  });
}

function passwordOf({ password, passwordFile }: StoreLogin): (() => string) | undefined {
  if (passwordFile !== undefined) return () => passwordIn(passwordFile);
  return password === undefined ? undefined : () => password;
}

function readTls({ caFile, certificate, serverName }: DeepPartial<StoreTls>): TlsFiles {
  const files: TlsFiles = {};
  if (caFile !== undefined) files.ca = readFileSync(caFile, 'utf8');
  if (certificate?.cert !== undefined) files.cert = readFileSync(certificate.cert, 'utf8');
  if (certificate?.key !== undefined) files.key = readFileSync(certificate.key, 'utf8');
  // Throws where a file cannot be used.
  createSecureContext(files);
  return serverName === undefined ? files : { ...files, servername: serverName };
}

type TlsFiles = Pick<SecureContextOptions, 'ca' | 'cert' | 'key'> & { servername?: string };

/** Everything outside of the config that the store needs. */
export function* storeFiles(store: PartialConfig['store']): Generator<Outside> {
  if (store === undefined || 'embedded' in store) return;
  for (const { login, path } of storeLogins(store)) {
    const { passwordFile: file, tls } = login;
    if (file !== undefined) yield { path: [...path, 'passwordFile'], read: () => passwordIn(file) };
    if (tls !== undefined) yield* tlsFiles(tls, [...path, 'tls']);
  }
}

function tlsFiles(tls: DeepPartial<StoreTls>, path: Path): Iterable<Outside> {
  const { caFile, certificate } = tls;
  return filesTogether(
    [
      { path: [...path, 'caFile'], file: caFile },
      { path: [...path, 'certificate', 'cert'], file: certificate?.cert },
      { path: [...path, 'certificate', 'key'], file: certificate?.key },
    ],
    { path, read: () => readTls(tls) },
  );
}
