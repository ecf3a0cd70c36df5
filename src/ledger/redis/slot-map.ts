/** The answer of CLUSTER SLOTS: which node owns which slot. */
import { StoreError } from '../port.js';
import type { HostAndPort } from './server-address.js';

export const SLOTS = 16_384;

export interface NodeName extends HostAndPort {
  /** As CLUSTER MYID returns it; undefined where only an address is known. */
  readonly id: string | undefined;
}

export interface SlotMap {
  /** By slot; undefined where nobody owns it. */
  readonly owners: readonly (NodeName | undefined)[];
  /** Of the node that was asked: the map of the higher one is newer. */
  readonly epoch: number;
}

type Range = readonly [
  first: number,
  last: number,
  owner: readonly [host: string | null, port: number, id: string],
];

/** `asked`: the node that answered. Nodes that do not know their own name leave their host out. */
export function readSlotMap(slots: unknown, info: unknown, asked: HostAndPort): SlotMap {
  const owners = new Array<NodeName | undefined>(SLOTS).fill(undefined);
  for (const [first, last, [host, port, id]] of slots as Range[])
    owners.fill({ host: hostOf(host, asked), port, id }, first, last + 1);
  const epoch = Number(/^cluster_current_epoch:(\d+)/m.exec(String(info))?.[1] ?? 0);
  return { owners, epoch };
}

function hostOf(host: string | null, asked: HostAndPort): string {
  return host === null || host === '' || host === '?' ? asked.host : host;
}

export type Redirect =
  /** `moved`: from now on; otherwise for this call only. */
  | { readonly kind: 'moved' | 'ask'; readonly to: HostAndPort }
  /** Some of the keys are on their way to another node. */
  | { readonly kind: 'again' }
  | { readonly kind: 'down' };

export type RedirectKind = Redirect['kind'];

const TO = /^(MOVED|ASK) \d+ (\S*):(\d+)$/;

/** What to do about a call that did not run; undefined if it is not about the slot. */
export function redirectIn(error: unknown, asked: HostAndPort): Redirect | undefined {
  if (!(error instanceof StoreError) || error.ran !== false) return undefined;
  const { message } = error;
  const [, word, host = '', port] = TO.exec(message) ?? [];
  if (word !== undefined) {
    const to = { host: hostOf(host, asked), port: Number(port) };
    return { kind: word === 'MOVED' ? 'moved' : 'ask', to };
  }
  if (message.startsWith('TRYAGAIN')) return { kind: 'again' };
  return message.startsWith('CLUSTERDOWN') ? { kind: 'down' } : undefined;
}
