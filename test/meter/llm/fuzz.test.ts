// Whatever bytes come, from clients or upstreams: no crash, no negative cost, no free answer, and the client's bytes untouched.
// `CASES=10000` for more of it, `SEED=…` for the same cases again.
import t from 'tap';
import { ProblemError } from '../../../src/errors/catalogue.js';
import { UNITS_MAX } from '../../../src/quota/charge.js';
import { seededBelow } from '../../support/random.js';
import { SAMPLES } from './answers.js';
import { AZURE_QUERY, meterOf, pass, priced } from './drive.js';

const CASES = Number(process.env.CASES ?? 2_000);
const SEED = Number(process.env.SEED ?? Date.now() % 2 ** 31);

const SPLINTERS = [
  '{',
  '}',
  '[',
  ']',
  '"',
  '\\',
  ',',
  ':',
  '-1',
  '1e309',
  'null',
  '0',
  '99999999999999999999',
  '\r',
  '\n\n',
  '\0',
  '\ufeff',
  'data: ',
  '"usage":null',
  '"usage":{}',
  '"total_tokens":-5',
  'ÿ',
  '🙂',
  '\\u0000',
  '\\ud800',
];

function mutated(body: Buffer, random: (below: number) => number): Buffer {
  let bytes = body;
  for (let times = 1 + random(6); times > 0; times -= 1) {
    const at = random(bytes.length + 1);
    const to = Math.min(bytes.length, at + random(random(2) === 0 ? 4 : 200));
    const splinter = Buffer.from(SPLINTERS[random(SPLINTERS.length)] ?? '');
    switch (random(5)) {
      case 0:
        bytes = Buffer.concat([bytes.subarray(0, at), splinter, bytes.subarray(at)]);
        break;
      case 1:
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(to)]);
        break;
      case 2:
        bytes = Buffer.concat([bytes.subarray(0, to), bytes.subarray(at)]);
        break;
      case 3:
        bytes = Buffer.concat([bytes.subarray(0, at), Buffer.from([random(256)]), bytes.subarray(at + 1)]);
        break;
      default:
        bytes = bytes.subarray(0, to);
    }
  }
  return bytes;
}

t.test(`${CASES} mutated requests and answers, seed ${SEED}`, async (t) => {
  const random = seededBelow(SEED);
  const meters = SAMPLES.map(({ api }) =>
    meterOf(api, {
      whenShort: 'clamp',
      whenSpent: random(2) === 0 ? 'cut' : 'finish',
      hold: random(2) === 0 ? 'step' : 'ceiling',
    }),
  );
  let refused = 0;
  let exact = 0;
  for (let number = 0; number < CASES; number += 1) {
    const index = random(SAMPLES.length);
    const [sample, meter] = [SAMPLES[index], meters[index]];
    if (sample === undefined || meter === undefined) continue;
    const whole = Buffer.from(JSON.stringify(sample.request));
    const request = random(3) === 0 ? mutated(whole, random) : whole;
    const where = `case ${number} of seed ${SEED}`;
    try {
      const first = await priced(meter, request, sample.path, {
        query: sample.api === 'azure-openai' ? AZURE_QUERY : '',
      });
      const one = (random(4) === 0 ? first.clamp?.(() => random(5_000)) : undefined) ?? first;
      const body = mutated(Buffer.from(sample.body), random);
      const { client, costs } = await pass(one, body, {
        type: sample.type,
        chunkBytes: 1 + random(300),
        whole: random(4) > 0,
      });
      const units = costs[0]?.units ?? -1;
      if (!Number.isSafeInteger(units) || units <= 0 || units > UNITS_MAX) t.fail(`${where}: ${units} units`);
      if (!first.body?.includes('include_usage') && !client.equals(body)) t.fail(`${where}: other bytes`);
      if (one.body !== undefined) JSON.parse(one.body.toString());
      if (costs[0]?.estimated === false) exact += 1;
    } catch (error) {
      if (!(error instanceof ProblemError) || error.status !== 400) throw new Error(where, { cause: error });
      refused += 1;
    }
  }
  t.comment(`${refused} requests refused, ${exact} answers charged to the token`);
  t.ok(refused > CASES / 100 && exact > CASES / 10, 'the cases are neither all broken nor all whole');
  await Promise.all(meters.map((meter) => meter.close()));
});
