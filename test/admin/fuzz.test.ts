// Requests made from the OpenAPI document, valid and not, on both ledgers: no 5xx, and no status, type or body that it does not
// declare. `npm run fuzz` makes more of them.
import t, { type Test } from 'tap';
import { buildAdmin, createOrg } from '../../src/admin/index.js';
import type { Ledger } from '../../src/ledger/port.js';
import { fuzz, skipWithoutFuzzTools } from '../support/fuzz.js';
import { openClockedMemory, openClockedRedis, serverOfFile } from '../support/ledgers.js';
import { skipWithoutRedis } from '../support/redis.js';
import { ACME, checkResponses, NOON, QUOTAS, TOKEN } from './support.js';

const EXAMPLES = Number(process.env.FUZZ_EXAMPLES ?? 1);
const ALL = { phases: 'examples,coverage,fuzzing', least: EXAMPLES > 1 ? 5_000 : 1_000 };
/** In the quick form, one ledger has the coverage phase: most of what it sends is refused before the ledger. */
const EMBEDDED = EXAMPLES > 1 ? ALL : { phases: 'examples,fuzzing', least: 100 };

t.setTimeout(1_800_000);

async function fuzzed(t: Test, ledger: Ledger, { phases, least }: typeof ALL): Promise<void> {
  await createOrg(ledger, { id: 'acme', seed: ACME, quotas: QUOTAS });
  const app = buildAdmin({ ledger, quotas: QUOTAS, bootstrapToken: TOKEN });
  checkResponses(t, app);
  const url = await app.listen({ port: 0, host: '127.0.0.1' });
  t.teardown(() => app.close());
  const { failed, cases, output } = await fuzz({ url, token: TOKEN, phases, examples: EXAMPLES });
  t.notOk(failed, 'no failure', { output: output.slice(-20_000) });
  t.comment(`${cases} cases`);
  t.ok(cases >= least, `${cases} cases`);
}

t.test('the admin API does what its document says (embedded)', { skip: skipWithoutFuzzTools }, async (t) => {
  const { ledger, setClock, close } = await openClockedMemory();
  t.teardown(close);
  await setClock(NOON);
  await fuzzed(t, ledger, EMBEDDED);
});

const skip = skipWithoutFuzzTools || skipWithoutRedis;

t.test('the admin API does what its document says (redis)', { skip }, async (t) => {
  const { ledger, setClock, close } = await openClockedRedis((await serverOfFile()).url, 'fuzz');
  t.teardown(close);
  await setClock(NOON);
  await fuzzed(t, ledger, ALL);
});
