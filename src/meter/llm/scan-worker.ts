/** The worker thread that reads large bodies and counts tokens, so that the main thread is not blocked. */
import { parentPort } from 'node:worker_threads';
import { ProblemError } from '../../errors/catalogue.js';
import { type Scanned, scanJson } from './json-scan.js';
import { type Path, spanTree } from './span-tree.js';
import { type CountTokens, type EncodingName, tokenizerOf, tokensOf } from './tokenizer.js';

export interface ScanJob {
  readonly id: number;
  readonly bytes: SharedArrayBuffer;
  readonly paths: readonly Path[];
  /** Absent: tokens are not counted. */
  readonly tokenizer: EncodingName | undefined;
}

export interface ScanResult {
  readonly scanned: Scanned;
  /** Tokens of the texts that were counted, up to a limit. */
  readonly tokens: number;
  /** Bytes of the texts beyond the limit. */
  readonly uncountedBytes: number;
}

export interface ScanAnswer {
  readonly id: number;
  readonly result?: ScanResult;
  /** The body is invalid. Any other failure is reported in `fault`. */
  readonly problem?: { readonly code: 'body-malformed'; readonly message: string };
  readonly fault?: string;
}

async function scan({ id, bytes, paths, tokenizer }: ScanJob): Promise<ScanAnswer> {
  try {
    const body = Buffer.from(bytes);
    const count: CountTokens | undefined = tokenizer === undefined ? undefined : await tokenizerOf(tokenizer);
    const {
      spans,
      textBytes,
      contentBytes,
      numbers,
      mediaParts,
      texts = [],
    } = scanJson(body, spanTree(paths), paths.length, count !== undefined);
    const counted = count === undefined ? { tokens: 0, uncountedBytes: 0 } : tokensOf(body, texts, count);
    return {
      id,
      result: {
        scanned: { spans, textBytes, contentBytes, numbers, mediaParts, texts: undefined },
        ...counted,
      },
    };
  } catch (error) {
    if (error instanceof ProblemError)
      return { id, problem: { code: 'body-malformed', message: error.message } };
    return { id, fault: error instanceof Error ? error.message : String(error) };
  }
}

// Jobs run one after the other, so that each answer comes as early as possible.
let last: Promise<void> = Promise.resolve();
parentPort?.on('message', (job: ScanJob) => {
  last = last.then(async () => parentPort?.postMessage(await scan(job)));
});
