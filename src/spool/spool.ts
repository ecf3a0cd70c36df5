/** Files of calls that could not be delivered: written at a stop, claimed by one process, removed when delivered. */
import { randomBytes } from 'node:crypto';
import { accessSync, constants, mkdirSync } from 'node:fs';
import {
  copyFile,
  type FileHandle,
  open,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  truncate,
  utimes,
} from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { UndeliveredCall } from '../ledger/batching/index.js';
import { PRODUCER_YOUNG_MS } from '../ledger/port.js';

export interface SpoolOptions {
  readonly path: string;
  /**
   * Sends a call; resolves when it is complete. `isForgotten`: the store may no longer know whether the call ran
   * before.
   */
  readonly deliver: (call: UndeliveredCall, isForgotten: boolean) => Promise<void>;
  readonly onDelivered: (file: string, calls: number) => void;
  /** A file is truncated or cannot be read, or a mark cannot be written. */
  readonly onTrouble: (file: string, error: unknown) => void;
}

const VERSION = 1;
const LOOK_EVERY_MS = 5_000;
/** A claim without an update for this long belongs to a process that no longer runs. */
const CLAIM_STALE_MS = 30_000;
/** How long the next org waits for an org whose calls are being delivered. */
const PATIENCE_MS = 1_000;
const WAITING = '.spool';
const CLAIMED = '.claimed';
const UNREADABLE = '.unreadable';
const NAME = /^([\w-]+)(\.[\w-]+\.claimed|\.spool)$/;

interface Claim {
  readonly id: string;
  readonly file: string;
  readonly calls: readonly UndeliveredCall[];
  readonly over: Set<number>;
  /** By org: when an earlier process began to deliver the first incomplete call. */
  readonly begun: ReadonlyMap<string, number>;
  readonly handle: FileHandle;
}

/** Throws if the folder cannot be created or written to. */
export function openSpool(options: SpoolOptions): Spool {
  const { path } = options;
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    accessSync(path, constants.W_OK);
  } catch (cause) {
    throw new Error(`spool.path: the folder ${path} cannot be written to`, { cause });
  }
  return new Spool(options);
}

export class Spool {
  private readonly owner = randomBytes(6).toString('hex');
  private readonly claims = new Map<string, Claim>();
  private timer: NodeJS.Timeout | undefined;
  private looking: Promise<void> = Promise.resolve();
  private closed = false;

  constructor(private readonly options: SpoolOptions) {}

  /** Incomplete calls of claimed files. */
  get undelivered(): number {
    let count = 0;
    for (const { calls, over } of this.claims.values()) count += calls.length - over.size;
    return count;
  }

  /**
   * Delivers waiting calls, and checks again periodically: another process may stop, or have crashed while it
   * delivered.
   */
  start(): void {
    this.look();
    this.timer = setInterval(() => this.look(), LOOK_EVERY_MS).unref();
  }

  /** Writes a new file for these calls, completely or not at all. Returns its path. */
  async write(calls: readonly UndeliveredCall[]): Promise<string> {
    const name = join(this.options.path, `${Date.now()}-${randomBytes(6).toString('hex')}`);
    const lines = [{ version: VERSION, calls: calls.length }, ...calls].map(
      (value) => `${JSON.stringify(value)}\n`,
    );
    const handle = await open(`${name}.tmp`, 'wx', 0o600);
    try {
      await handle.writeFile(lines.join(''));
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(`${name}.tmp`, name + WAITING);
    await syncFolder(this.options.path);
    return name + WAITING;
  }

  /** Leaves undelivered calls to the next process. */
  async close(): Promise<void> {
    this.closed = true;
    clearInterval(this.timer);
    await this.looking;
    for (const claim of this.claims.values()) {
      await claim.handle.close();
      await rename(claim.file, join(this.options.path, claim.id + WAITING)).catch(() => undefined);
    }
  }

  private look(): void {
    this.looking = this.looking
      .then(() => this.touchAndClaim())
      .catch((error: unknown) => {
        this.options.onTrouble(this.options.path, error);
      });
  }

  private async touchAndClaim(): Promise<void> {
    if (this.closed) return;
    for (const [id, { file }] of this.claims) {
      // Another process took the claim because this one seemed dead. Calls in flight do no harm.
      await touch(file).catch(() => this.claims.delete(id));
    }
    for (const name of await readdir(this.options.path)) {
      const id = NAME.exec(name)?.[1];
      if (id !== undefined && !this.claims.has(id)) await this.claim(id, join(this.options.path, name));
    }
  }

  private async claim(id: string, file: string): Promise<void> {
    const claimed = join(this.options.path, `${id}.${this.owner}${CLAIMED}`);
    try {
      if (file.endsWith(CLAIMED) && Date.now() - (await stat(file)).mtimeMs < CLAIM_STALE_MS) return;
      // Must happen before the rename, so that no process treats the claim as stale.
      await touch(file);
      await rename(file, claimed);
    } catch (error) {
      // Another process was faster.
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
      throw error;
    }
    try {
      const text = await readFile(claimed, 'utf8');
      const { calls, over, begun, bytes, missing } = contentOf(text);
      if (missing > 0) await this.keepCopy(id, claimed, missing);
      // A crash may have truncated the last mark.
      await truncate(claimed, bytes);
      const claim = { id, file: claimed, calls, over, begun, handle: await open(claimed, 'a') };
      this.claims.set(id, claim);
      void this.deliver(claim);
    } catch (error) {
      this.options.onTrouble(claimed, error);
      await rename(claimed, join(this.options.path, `${id}${UNREADABLE}`));
    }
  }

  /**
   * The file was truncated after it was written: the complete calls are delivered, and the copy is kept for a person to
   * find the rest.
   */
  private async keepCopy(id: string, file: string, missing: number): Promise<void> {
    const copy = join(this.options.path, `${id}${UNREADABLE}`);
    await copyFile(file, copy, constants.COPYFILE_EXCL).catch((error: NodeJS.ErrnoException) => {
      // An earlier process has kept the copy.
      if (error.code !== 'EEXIST') throw error;
    });
    this.options.onTrouble(copy, new Error(`the file lacks ${missing} calls: it was cut off`));
  }

  /** One call at a time, because they share the store with current requests. */
  private async deliver(claim: Claim): Promise<void> {
    const { id, file, calls, over, handle } = claim;
    const orgs: Promise<void>[] = [];
    for (const indexes of byOrg(calls)) {
      const org = this.deliverOrg(claim, indexes);
      orgs.push(org);
      // An org whose data is missing waits for an operator; the other orgs do not wait for it.
      await Promise.race([org, delay(PATIENCE_MS, undefined, { ref: false })]);
    }
    await Promise.all(orgs);
    if (over.size < calls.length || !this.has(claim)) return;
    try {
      this.claims.delete(id);
      await handle.close();
      await rm(file);
      this.options.onDelivered(file, calls.length);
    } catch (error) {
      this.options.onTrouble(file, error);
    }
  }

  private async deliverOrg(claim: Claim, indexes: readonly number[]): Promise<void> {
    const { file, calls, over, begun, handle } = claim;
    let isFirst = true;
    try {
      for (const index of indexes) {
        const call = calls[index];
        if (call === undefined || over.has(index)) continue;
        if (!this.has(claim)) return;
        const begunAt = isFirst ? begun.get(call.org) : undefined;
        // The mark of the previous call shows when this one began; the first call needs its own mark.
        if (isFirst && begunAt === undefined) await mark(handle, { begun: Date.now(), org: call.org });
        isFirst = false;
        // The calls of an org are sent in order, so only the first incomplete call can have been sent.
        await this.options.deliver(call, begunAt !== undefined && Date.now() - begunAt > PRODUCER_YOUNG_MS);
        if (this.closed) return;
        await mark(handle, { done: index, at: Date.now() });
        over.add(index);
      }
    } catch (error) {
      this.options.onTrouble(file, error);
    }
  }

  /** False once this process stops, or once another one has taken the file. */
  private has(claim: Claim): boolean {
    return !this.closed && this.claims.get(claim.id) === claim;
  }
}

/** Positions of the calls of each org. */
function byOrg(calls: readonly UndeliveredCall[]): Iterable<readonly number[]> {
  const places = new Map<string, number[]>();
  for (const [index, { org }] of calls.entries()) {
    const known = places.get(org);
    if (known === undefined) places.set(org, [index]);
    else known.push(index);
  }
  return places.values();
}

async function mark(handle: FileHandle, value: Mark): Promise<void> {
  await handle.appendFile(`${JSON.stringify(value)}\n`);
  await handle.datasync();
}

/** Times are from this machine's clock. */
type Mark = { readonly begun: number; readonly org: string } | { readonly done: number; readonly at: number };

interface Content extends Pick<Claim, 'calls' | 'over' | 'begun'> {
  /** Length of the complete lines. */
  readonly bytes: number;
  /** Calls that were written but are missing. */
  readonly missing: number;
}

function contentOf(text: string): Content {
  const calls: UndeliveredCall[] = [];
  const over = new Set<number>();
  const begun = new Map<string, number>();
  const whole = text.slice(0, text.lastIndexOf('\n'));
  const [first = '', ...lines] = whole.split('\n');
  const head = JSON.parse(first) as { version?: number; calls?: number };
  if (head.version !== VERSION) throw new Error(`its version is not ${VERSION}`);
  for (const line of lines) {
    const value = JSON.parse(line) as UndeliveredCall | Mark;
    if ('begun' in value) begun.set(value.org, value.begun);
    else if ('done' in value) {
      over.add(value.done);
      begun.set(calls[value.done]?.org ?? '', value.at);
    } else calls.push(value);
  }
  const missing = Math.max(0, (head.calls ?? 0) - calls.length);
  return { calls, over, begun, bytes: Buffer.byteLength(whole) + 1, missing };
}

async function touch(file: string): Promise<void> {
  const now = new Date();
  await utimes(file, now, now);
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
