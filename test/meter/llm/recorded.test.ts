// What real providers answered is charged as they billed it, in any chunks, plain or compressed, and passes untouched.
import { existsSync, readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import t from 'tap';
import type { Api } from '../../../src/meter/llm/index.js';
import { LLM_APIS, type Usage } from '../../../src/quota/tokens.js';
import { AZURE_QUERY, meterOf, PATHS, pass, priced } from './drive.js';

interface Row {
  readonly file: string;
  readonly api: Api;
  readonly stream: boolean;
  readonly status: number;
  readonly expected: Usage | null;
  readonly alt?: Usage | null;
  readonly partial?: boolean;
  readonly contentType?: string;
}

const FOLDER = new URL('../../../../../shared/fixtures/ai/', import.meta.url);
const INDEX = new URL('index.json', FOLDER);

function requestOf({ api, stream }: Row): { body: unknown; path: string } {
  const path = PATHS[api];
  switch (api) {
    case 'gemini':
      return { body: {}, path: stream ? path.replace('generate', 'streamGenerate') : path };
    case 'openai-embeddings':
      return { body: { model: 'm', input: 'x' }, path };
    case 'anthropic-messages':
      return { body: { model: 'm', max_tokens: 100_000, stream }, path };
    case 'openai-responses':
      return { body: { model: 'm', stream }, path };
    default:
      return { body: { model: 'm', stream, stream_options: stream ? { include_usage: true } : null }, path };
  }
}

const parts = ({ input, cachedInput, cacheWrite, output, reasoning }: Usage) => ({
  input,
  cachedInput,
  cacheWrite,
  output,
  reasoning,
});

const rows = existsSync(INDEX) ? (JSON.parse(readFileSync(INDEX, 'utf8')) as Row[]) : [];
const recorded = rows.filter(({ file, status }) => status === 200 && existsSync(new URL(file, FOLDER)));

// Named at the end of `npm test`; own answers of every API are in answers.ts.
for (const api of LLM_APIS)
  if (!recorded.some((row) => row.api === api)) {
    const skip = `no outside recordings of ${api} in ../shared/fixtures/ai`;
    t.test(`recorded answers of ${api}`, { skip }, async () => undefined);
  }

for (const row of recorded) {
  t.test(row.file, async (t) => {
    const body = readFileSync(new URL(row.file, FOLDER));
    const meter = meterOf(row.api);
    const request = requestOf(row);
    const isSse = row.file.endsWith('.sse');
    const type = row.contentType ?? (isSse ? 'text/event-stream; charset=utf-8' : 'application/json');
    const due = row.alt ?? row.expected;
    for (const chunkBytes of [body.length, 1, 7, 1000]) {
      for (const coding of [undefined, 'gzip']) {
        const sent = coding === undefined ? body : gzipSync(body);
        const one = await priced(meter, request.body, request.path, { query: AZURE_QUERY });
        const { client, sameChunks, costs, report } = await pass(one, sent, {
          type,
          chunkBytes,
          ...(coding ? { coding } : {}),
        });
        const where = `${chunkBytes} ${coding ?? 'plain'}`;
        t.ok(sameChunks && client.equals(sent), `${where}: the provider's bytes`);
        const units = costs[0]?.units ?? 0;
        if (due === null || row.partial === true) {
          t.equal(costs[0]?.estimated, true, `${where}: estimated`);
          t.ok(
            units > 0 && units >= (due === null ? 1 : due.input + due.output),
            `${where}: above 0 and the floor`,
          );
        } else {
          t.strictSame(report?.usage, parts(due), `${where}: the usage`);
          t.strictSame(costs[0], { units: due.input + due.output, estimated: false }, `${where}: the units`);
        }
      }
    }
    await meter.close();
  });
}
