/**
 * Reads the files and variables that a config names, like the start does, looks whether its folders are writable, and
 * reports every unusable one with its setting. `quotagate check` does this only when asked, because they are often missing in CI.
 */
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Environment } from '../config/environment.js';
import { type Issue, issue, type Path } from '../config/issues.js';
import { type DeepPartial, entries, type PartialConfig } from '../config/partial-config.js';
import type { ExportConfig, JwtConfig, UpstreamConfig } from '../config/schema.js';
import { bootstrapTokenIn, headerValue, passwordIn, type SecretPlace, secretAt } from '../config/secret.js';
import { signerOf } from '../export/targets/http.js';
import { secretBytesMin, tryKeys } from '../identify/key-source.js';
import { readPair } from '../observe/certificate.js';
import { bearerIn } from './build-exporter.js';
import { checkWritable } from './folders.js';
import { filesTogether, type Outside } from './outside.js';
import { storeFiles } from './store-address.js';

/** What a reload reads again; everything else is read at the start. */
const RELOADED: readonly unknown[] = ['identity', 'upstreams'];

export function* secretFindings(
  config: PartialConfig,
  environment: Environment,
  when: 'start' | 'reload' = 'start',
): Generator<Issue> {
  for (const { path, read } of outsideOf(config, environment)) {
    if (when === 'reload' && !RELOADED.includes(path[0])) continue;
    try {
      read();
    } catch (error) {
      yield issue(path, sentence(error), 'create or correct it, or change the setting');
    }
  }
}

/** Includes the causes; errors of the system do not repeat the file name. */
function sentence(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message} (${sentence(error.cause)})`;
}

function* outsideOf(config: PartialConfig, environment: Environment): Generator<Outside> {
  const { server, store, spool, identity, upstreams, admin, smtp, journal } = config;
  for (const [name, tls] of entries({ tls: server?.tls, adminTls: server?.adminTls })) {
    const { cert, key } = tls;
    const path = ['server', name];
    if (cert !== undefined && key !== undefined)
      yield* filesTogether(
        [
          { path: [...path, 'cert'], file: cert },
          { path: [...path, 'key'], file: key },
        ],
        { path, read: () => readPair({ cert, key }) },
      );
  }
  yield* storeFiles(store);
  const data = store !== undefined && 'embedded' in store ? store.embedded?.path : undefined;
  if (data !== undefined) yield { path: ['store', 'embedded', 'path'], read: () => checkWritable(data) };
  const spooled = spool?.path;
  if (spooled !== undefined) yield { path: ['spool', 'path'], read: () => checkWritable(spooled) };
  if (identity?.jwt !== undefined) yield* keysOf(identity.jwt, environment);
  for (const [name, upstream] of entries(upstreams))
    yield* partsOf(upstream, ['upstreams', name], environment);
  const mail = smtp?.passwordFile;
  if (mail !== undefined) yield { path: ['smtp', 'passwordFile'], read: () => passwordIn(mail) };
  const authorities = smtp?.caFile;
  if (authorities !== undefined)
    yield { path: ['smtp', 'caFile'], read: () => new X509Certificate(readFileSync(authorities)) };
  const client = admin?.oidc?.console?.clientSecret;
  if (isPlace(client))
    yield { path: ['admin', 'oidc', 'console', 'clientSecret'], read: () => secretAt(client, environment) };
  const token = admin?.bootstrapTokenFile;
  if (token !== undefined)
    yield { path: ['admin', 'bootstrapTokenFile'], read: () => bootstrapTokenIn(token) };
  for (const [name, target] of entries(journal?.exports))
    yield* exportFiles(target, ['journal', 'exports', name]);
}

function* exportFiles(target: DeepPartial<ExportConfig>, path: Path): Generator<Outside> {
  if ('folder' in target) {
    const { folder } = target;
    if (folder !== undefined) yield { path: [...path, 'folder'], read: () => checkWritable(folder) };
    return;
  }
  const { bearerFile, secretFile, caFile } = target as Extract<DeepPartial<ExportConfig>, { url?: unknown }>;
  if (bearerFile !== undefined) yield { path: [...path, 'bearerFile'], read: () => bearerIn(bearerFile) };
  if (secretFile !== undefined)
    yield { path: [...path, 'secretFile'], read: () => signerOf(passwordIn(secretFile)) };
  if (caFile !== undefined)
    yield { path: [...path, 'caFile'], read: () => new X509Certificate(readFileSync(caFile)) };
}

function* keysOf(config: DeepPartial<JwtConfig>, environment: Environment): Generator<Outside> {
  const least = secretBytesMin((config.algorithms ?? []).filter((one) => one !== undefined));
  const { jwksFile, secret } = config as { jwksFile?: string; secret?: DeepPartial<SecretPlace> };
  if (jwksFile !== undefined)
    yield { path: ['identity', 'jwt', 'jwksFile'], read: () => tryKeys({ jwksFile }, least) };
  if (!isPlace(secret)) return;
  const place = 'file' in secret ? { secretFile: secret.file } : undefined;
  const read = () => tryKeys(place ?? { secret: secretAt(secret, environment) }, least);
  yield { path: ['identity', 'jwt', 'secret'], read };
}

function* partsOf(
  { caFile, setHeaders }: DeepPartial<UpstreamConfig>,
  path: Path,
  environment: Environment,
): Generator<Outside> {
  if (caFile !== undefined)
    yield { path: [...path, 'caFile'], read: () => new X509Certificate(readFileSync(caFile)) };
  for (const [name, value] of entries(setHeaders)) {
    const read = () => headerValue(name, value as SecretPlace, environment);
    if (isPlace(value)) yield { path: [...path, 'setHeaders', name], read };
  }
}

function isPlace(value: unknown): value is SecretPlace {
  if (typeof value !== 'object' || value === null) return false;
  const { file, env } = value as { file?: string; env?: string };
  return file !== undefined || env !== undefined;
}
