/** SCIM over both ledgers, with a client that has the role scim. */
import type { Test } from 'tap';
import { type Answer, bearer, onBothLedgers, type Replicas } from '../support.js';

export const SCIM = '/orgs/acme/scim/v2';
const PATCH_OP = 'urn:ietf:params:scim:api:messages:2.0:PatchOp';
export const USER = 'urn:ietf:params:scim:schemas:core:2.0:User';
export const GROUP = 'urn:ietf:params:scim:schemas:core:2.0:Group';

export type Scim = (
  method: string,
  path: string,
  body?: unknown,
  headers?: Record<string, string>,
) => Promise<Answer>;

export interface Directory extends Replicas {
  /** A directory's request: below the SCIM root, with a token of the role scim. */
  readonly scim: Scim;
  patch(path: string, ...operations: readonly object[]): Promise<Answer>;
}

export function withDirectory(
  guarantee: string,
  behaviour: (test: Test, directory: Directory) => Promise<void>,
): void {
  onBothLedgers(guarantee, async (test, replicas) => {
    const cycle = { every: 'month', anchor: 20, timeZone: 'Europe/Madrid' };
    await replicas.one('PUT', '/orgs/acme', { cycle, seats: 1_000 });
    const { token } = (
      await replicas.one('POST', '/tokens', { name: 'directory', role: 'scim', orgs: ['acme'] })
    ).body;
    const scim: Scim = (method, path, body, headers) =>
      replicas.one(method, `${SCIM}${path}`, body, {
        ...bearer(token),
        ...(body === undefined ? {} : { 'content-type': 'application/scim+json; charset=utf-8' }),
        ...headers,
      });
    const patch = (path: string, ...operations: readonly object[]): Promise<Answer> =>
      scim('PATCH', path, { schemas: [PATCH_OP], Operations: operations });
    await behaviour(test, { ...replicas, scim, patch });
  });
}

export function filter(path: string, text: string): string {
  return `${path}?filter=${encodeURIComponent(text)}`;
}

/** Status and type of a refusal. */
export function refusal({ status, body }: Answer): [number, string | undefined] {
  return [status, body?.scimType];
}
