/** Who pays: the interface of every kind of credential. */
import type { IncomingMessage } from 'node:http';

export interface Identity {
  readonly org: string;
  /** User key (quota/id.ts); '' where the ledger finds the user by `key`. */
  readonly user: string;
  readonly userId: string;
  /** Group ids claimed by the credential, comma-separated, each once; '' for none. */
  readonly claims: string;
  /** `<key id>:<hash of its secret>` of an API key: the ledger says whose it is, and whether it is valid. */
  readonly key?: string;
}

export interface Identifier {
  /** Lower-case names of the headers that carry this kind of credential: they never travel upstream. */
  readonly headers: readonly string[];
  /**
   * The identity; undefined where the request carries no credential of this kind.
   * Throws or rejects with a ProblemError where it carries one that cannot be accepted. A promise only where something
   * has to be waited for, so that what is known at once costs no turn of the event loop.
   */
  identify(request: IncomingMessage): Identified;
  /** Ends what it runs beside the requests. */
  close?(): void;
}

export type Identified = Identity | undefined | Promise<Identity | undefined>;

/**
 * Asks one identifier after the other: the first that answers, or refuses, wins. So one that refuses what it
 * cannot accept (trusted headers from a peer that is not listed) belongs before those that would not look.
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
