/** Identifies who pays: the interface for all kinds of credentials. */
import type { IncomingMessage } from 'node:http';

export interface Identity {
  readonly org: string;
  /** User key (quota/id.ts); '' if the ledger finds the user by `key`. */
  readonly user: string;
  readonly userId: string;
  /** Group ids claimed by the credential, comma-separated, each once; '' for none. */
  readonly claims: string;
  /** `<key id>:<hash of its secret>` of an API key: the ledger says who owns it and whether it is valid. */
  readonly key?: string;
}

export interface Identifier {
  /** Lower-case names of the headers of this credential: they are never sent upstream. */
  readonly headers: readonly string[];
  /**
   * Returns the identity; undefined if the request has no credential of this kind. Throws or rejects with a
   * ProblemError if the credential is not accepted. Returns a promise only if it must wait, so that an immediate result
   * costs no turn of the event loop.
   */
  identify(request: IncomingMessage): Identified;
  /** Stops background work. */
  close?(): void;
}

export type Identified = Identity | undefined | Promise<Identity | undefined>;

/**
 * Asks the identifiers in order: the first that returns an identity, or refuses, decides. An identifier that refuses
 * what it does not accept (trusted headers from an unlisted peer) must come before those that ignore it.
 */
export function composeIdentifiers(list: readonly Identifier[]): Identifier {
  const [only, ...others] = list;
  if (only !== undefined && others.length === 0) return only;
  return {
    headers: [...new Set(list.flatMap((one) => one.headers))],
    identify: (request) => askFrom(list, 0, request),
    close() {
      for (const one of list) one.close?.();
    },
  };
}

function askFrom(list: readonly Identifier[], first: number, request: IncomingMessage): Identified {
  for (let index = first; index < list.length; index += 1) {
    const identity = list[index]?.identify(request);
    if (identity instanceof Promise)
      return identity.then((found) => found ?? askFrom(list, index + 1, request));
    if (identity !== undefined) return identity;
  }
  return undefined;
}
