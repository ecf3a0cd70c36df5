/** Manages the worker thread that reads large bodies. It starts when first needed and serves all routes. */
import { setImmediate } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { ProblemError } from '../../errors/catalogue.js';
import type { ScanAnswer, ScanJob, ScanResult } from './scan-worker.js';
import type { Path } from './span-tree.js';
import type { EncodingName } from './tokenizer.js';

/** Bytes copied in one turn of the event loop. */
const SLICE_BYTES = 2_097_152;

interface Waiting {
  resolve(result: ScanResult): void;
  reject(error: Error): void;
}

class ScanThread {
  private worker: Worker | undefined;
  private readonly waiting = new Map<number, Waiting>();
  private lastId = 0;
  private users = 0;

  addUser(): void {
    this.users += 1;
  }

  async removeUser(): Promise<void> {
    this.users -= 1;
    if (this.users > 0) return;
    const { worker } = this;
    this.worker = undefined;
    await worker?.terminate();
  }

  async scan(body: Buffer, paths: readonly Path[], tokenizer: EncodingName | undefined): Promise<ScanResult> {
    const bytes = await copyOf(body);
    const worker = this.started();
    this.lastId += 1;
    const job: ScanJob = { id: this.lastId, bytes, paths, tokenizer };
    return new Promise((resolve, reject) => {
      this.waiting.set(job.id, { resolve, reject });
      worker.ref();
      worker.postMessage(job);
    });
  }

  private started(): Worker {
    if (this.worker !== undefined) return this.worker;
    const worker = new Worker(new URL('./scan-worker.js', import.meta.url));
    worker.on('message', (answer: ScanAnswer) => this.answered(worker, answer));
    worker.on('error', () => undefined);
    worker.on('exit', () => this.ended(worker));
    this.worker = worker;
    return worker;
  }

  private answered(worker: Worker, { id, result, problem, fault }: ScanAnswer): void {
    const waiting = this.waiting.get(id);
    this.waiting.delete(id);
    // An idle thread must not keep the process alive.
    if (this.waiting.size === 0) worker.unref();
    if (result !== undefined) waiting?.resolve(result);
    else if (problem !== undefined) waiting?.reject(new ProblemError(problem.code, problem.message));
    else waiting?.reject(new Error(`the body could not be scanned: ${fault}`));
  }

  private ended(worker: Worker): void {
    if (this.worker !== worker && this.worker !== undefined) return;
    this.worker = undefined;
    for (const { reject } of this.waiting.values()) reject(new Error('the scan thread stopped'));
    this.waiting.clear();
  }
}

/** Copies in slices: copying 20 MB at once would delay all other requests. */
async function copyOf(body: Buffer): Promise<SharedArrayBuffer> {
  const bytes = new SharedArrayBuffer(body.length);
  const copy = new Uint8Array(bytes);
  for (let at = 0; at < body.length; at += SLICE_BYTES) {
    if (at > 0) await setImmediate();
    copy.set(body.subarray(at, at + SLICE_BYTES), at);
  }
  return bytes;
}

export const scanThread = new ScanThread();
