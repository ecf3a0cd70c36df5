/** Where the section `store` has logins. */
import type { Path } from './issues.js';
import type { DeepPartial, PartialConfig } from './partial-config.js';
import type { StoreAccess } from './schema.js';

interface PlacedLogin {
  readonly login: DeepPartial<StoreAccess>;
  readonly path: Path;
}

export function* storeLogins(store: NonNullable<PartialConfig['store']>): Generator<PlacedLogin> {
  if ('redis' in store)
    yield { login: { passwordFile: store.passwordFile, tls: store.tls }, path: ['store'] };
  if ('cluster' in store && store.cluster !== undefined)
    yield { login: store.cluster, path: ['store', 'cluster'] };
  if (!('sentinel' in store) || store.sentinel === undefined) return;
  const path = ['store', 'sentinel'];
  yield { login: store.sentinel, path };
  yield { login: store.sentinel.sentinelAuth ?? {}, path: [...path, 'sentinelAuth'] };
}
