/** The thread that reads large bodies and counts tokens, so that the gateway's own never waits for them. */
import { parentPort } from 'node:worker_threads';
import { ProblemError } from '../../errors/catalogue.js';
import { type Scanned, scanJson } from './json-scan.js';
import { type Path, placeTree } from './places.js';
import { type CountTokens, tokenizerOf, tokensOf } from './tokenizer.js';

export interface ScanJob {
  readonly id: number;
  readonly bytes: SharedArrayBuffer;
  readonly paths: readonly Path[];
  /** Left out: texts are not counted. */
  readonly tokenizer: string | undefined;
}

export interface ScanResult {
  readonly scanned: Scanned;
  /** Of the texts that were counted, up to a bound. */
  readonly tokens: number;
  /** Of the texts behind the bound. */
  readonly uncountedBytes: number;
}

export interface ScanAnswer {
  readonly id: number;
  readonly result?: ScanResult;
  /** The body cannot be read; else something is wrong here. */
  readonly problem?: { readonly code: 'body-malformed'; readonly message: string };
  readonly fault?: string;
}

async function scan({ id, bytes, paths, tokenizer }: ScanJob): Promise<ScanAnswer> {
  try {
    const body = Buffer.from(bytes);
    const count: CountTokens | undefined = tokenizer === undefined ? undefined : await tokenizerOf(tokenizer);
    const {
      places,
      textBytes,
      contentBytes,
      numbers,
      mediaParts,
      texts = [],
    } = scanJson(body, placeTree(paths), paths.length, count !== undefined);
    const counted = count === undefined ? { tokens: 0, uncountedBytes: 0 } : tokensOf(body, texts, count);
    return {
      id,
      result: {
        scanned: { places, textBytes, contentBytes, numbers, mediaParts, texts: undefined },
        ...counted,
      },
    };
  } catch (error) {
    if (error instanceof ProblemError)
      return { id, problem: { code: 'body-malformed', message: error.message } };
    return { id, fault: error instanceof Error ? error.message : String(error) };
  }
}

// One after the other: the thread is one, and each answer should come as early as it can.
let last: Promise<void> = Promise.resolve();
parentPort?.on('message', (job: ScanJob) => {
  last = last.then(async () => parentPort?.postMessage(await scan(job)));
});
