// A hold in steps is extended before it is used up. When nothing remains, the stream continues, or ends as its API's
// clients expect.
import t from 'tap';
import { CATALOGUE, ProblemError } from '../../../src/errors/catalogue.js';
import { type Api, errorShape, type LlmOptions } from '../../../src/meter/llm/index.js';
import { events } from './answers.js';
import { charged, meterOf, PATHS, priced } from './drive.js';

const OUTPUT = { input: 0, cachedInput: 0, cacheWrite: 0, output: 1, reasoning: 1 };
const STEP: Partial<LlmOptions> = { hold: 'step', stepTokens: 100, weights: OUTPUT };
const SPENT = new ProblemError('quota-exceeded', 'The budget of ai is spent.');
const HEAD = [Buffer.from('content-type'), Buffer.from('text/event-stream')];

/** An event that is counted as so many tokens. */
const said = (tokens: number): Buffer =>
  Buffer.from(events([{ choices: [{ delta: { content: 'abc'.repeat(tokens) } }] }]));

async function opened(
  more: Partial<LlmOptions>,
  request: object = {},
  api: Api = 'openai-chat',
  path = PATHS[api],
) {
  const meter = meterOf(api, { ...STEP, ...more });
  const one = await priced(
    meter,
    api === 'gemini'
      ? request
      : { model: 'm', stream: true, stream_options: { include_usage: true }, ...request },
    path,
  );
  const { reader } = one;
  const { steps } = reader ?? {};
  if (reader === undefined || steps === undefined) throw new Error('no steps');
  let asked = 0;
  steps.onShort = () => {
    asked += 1;
  };
  const changes = reader.head(200, HEAD);
  return {
    meter,
    reader,
    steps,
    changes,
    held: one.charges.items[0]?.units,
    askedTimes: () => asked,
    setFields: one.setFields,
  };
}

t.test('a step is held, and the next is asked for half a step ahead', async (t) => {
  const { meter, reader, steps, held, askedTimes, setFields } = await opened({}, { max_tokens: 230 });
  t.equal(held, 100);
  t.strictSame(setFields, ['accept-encoding', 'identity']);
  reader.data(said(49));
  t.equal(askedTimes(), 0);
  reader.data(said(1));
  t.equal(askedTimes(), 1);
  t.strictSame(steps.wanted(), [100]);
  reader.data(said(90));
  t.equal(askedTimes(), 1, 'not again before the answer');
  steps.granted();
  reader.data(said(10));
  t.equal(askedTimes(), 2);
  t.strictSame(steps.wanted(), [30], 'the last step goes to the ceiling');
  steps.granted();
  reader.data(said(79));
  t.equal(askedTimes(), 2, 'at the ceiling nothing more is needed');
  t.strictSame(reader.progress(), [229]);
  await meter.close();
});

t.test('a short request holds its output limit; one without a stream holds the whole limit', async (t) => {
  t.equal((await opened({}, { max_tokens: 30 })).held, 30);
  const meter = meterOf('openai-chat', STEP);
  const { charges } = await priced(meter, { model: 'm', max_tokens: 5000 }, PATHS['openai-chat']);
  t.equal(charges.items[0]?.units, 5000);
  await meter.close();
});

t.test('with `ceiling`, the hold is extended only if the upstream exceeds it', async (t) => {
  const { meter, reader, steps, held, askedTimes } = await opened({ hold: 'ceiling' }, { max_tokens: 100 });
  t.equal(held, 100);
  reader.data(said(200));
  t.equal(askedTimes(), 0, 'so much text can be 100 tokens');
  reader.data(said(100));
  t.equal(askedTimes(), 1);
  t.strictSame(steps.wanted(), [300]);
  await meter.close();
});

t.test('the model default is not a limit that the upstream was given', async (t) => {
  const { meter, reader, steps, askedTimes } = await opened({ hold: 'ceiling' });
  reader.data(said(4096));
  t.equal(askedTimes(), 0);
  reader.data(said(1));
  t.equal(askedTimes(), 1);
  t.strictSame(steps.wanted(), [101]);
  await meter.close();
});

t.test('usage that shows more input than was held asks at once', async (t) => {
  const { meter, reader, steps, askedTimes } = await opened(
    { weights: { ...OUTPUT, input: 1 } },
    { max_tokens: 50 },
    'anthropic-messages',
  );
  reader.data(
    Buffer.from(
      events([{ type: 'message_start', message: { usage: { input_tokens: 5000, output_tokens: 1 } } }]),
    ),
  );
  t.equal(askedTimes(), 1);
  t.ok((steps.wanted()[0] ?? 0) > 4900);
  await meter.close();
});

t.test('finish: the stream continues, and the next extension is requested a step later', async (t) => {
  const { meter, reader, steps, askedTimes, changes } = await opened({}, { max_tokens: 1000 });
  t.equal(changes, false);
  const chunk = said(60);
  t.equal(reader.data(chunk), chunk);
  t.equal(steps.refused(SPENT), undefined);
  reader.data(said(100));
  t.equal(askedTimes(), 1);
  const more = said(60);
  t.equal(reader.data(more), more);
  t.equal(askedTimes(), 2);
  t.strictSame(charged(await reader.costs(true)), [{ units: 220, estimated: true }]);
  await meter.close();
});

t.test('cut: the client ends behind a whole event, whatever the network split', async (t) => {
  const { meter, reader, steps, askedTimes, changes } = await opened(
    { whenSpent: 'cut' },
    { max_tokens: 1000 },
  );
  t.equal(changes, true, 'the length of the body may differ');
  const [one, two, three] = [said(60), said(10), said(10)];
  const stream = Buffer.concat([one, two, three]);
  const start = stream.subarray(0, 20);
  t.equal(reader.data(start), start, 'as long as nothing is asked for, everything passes at once');
  const middle = stream.subarray(20, one.length + 5);
  const out = [start, reader.data(middle)];
  t.equal(askedTimes(), 1);
  out.push(reader.data(stream.subarray(one.length + 5, one.length + 9)));
  t.equal(Buffer.concat(out.filter((part) => part !== undefined)).toString(), one.toString());
  out.push(reader.data(stream.subarray(one.length + 9, one.length + two.length + 3)));
  t.equal(
    Buffer.concat(out.filter((part) => part !== undefined)).toString(),
    one.toString() + two.toString(),
  );
  const last = steps.refused(SPENT)?.toString() ?? '';
  t.equal(last, `data: ${JSON.stringify(errorShape('openai-chat')(SPENT, 429))}\n\ndata: [DONE]\n\n`);
  t.equal(reader.data(three), undefined);
  t.equal(reader.end(), undefined);
  t.strictSame(charged(await reader.costs(true)), [{ units: 70, estimated: true }]);
  await meter.close();
});

t.test('cut, but granted: what was kept back follows', async (t) => {
  const { meter, reader, steps } = await opened({ whenSpent: 'cut' }, { max_tokens: 1000 });
  const stream = Buffer.concat([said(60), said(10)]);
  const out = [reader.data(stream.subarray(0, stream.length - 4))];
  steps.granted();
  out.push(reader.data(stream.subarray(stream.length - 4)), reader.end());
  t.equal(Buffer.concat(out.filter((part) => part !== undefined)).toString(), stream.toString());
  await meter.close();
});

t.test('cut in an event of which a part has passed: only behind it', async (t) => {
  const { meter, reader, steps, askedTimes } = await opened({ whenSpent: 'cut' }, { max_tokens: 10_000 });
  reader.data(said(900));
  reader.data(said(80));
  steps.granted();
  const [begun, rest] = [said(10).subarray(0, 30), said(10).subarray(30)];
  t.equal(reader.data(begun), begun);
  t.equal(askedTimes(), 1, 'not in the middle of an event');
  t.equal(reader.data(rest), rest);
  t.equal(askedTimes(), 2);
  await meter.close();
});

t.test('how a cut stream ends, by API', async (t) => {
  const ends: [Api, string, RegExp][] = [
    [
      'openai-completions',
      PATHS['openai-completions'],
      /^data: \{"error":\{.*"insufficient_quota".*\}\}\n\ndata: \[DONE\]\n\n$/,
    ],
    [
      'openai-responses',
      PATHS['openai-responses'],
      /^event: error\ndata: \{"type":"error","sequence_number":0,"error":\{.*\n\n$/,
    ],
    [
      'anthropic-messages',
      PATHS['anthropic-messages'],
      /^event: error\ndata: \{"type":"error","error":\{"type":"rate_limit_error",.*\n\n$/,
    ],
    [
      'gemini',
      PATHS.gemini.replace('generate', 'streamGenerate'),
      /^\{"error":\{"code":429,.*"RESOURCE_EXHAUSTED".*\}\n\n$/,
    ],
    ['openai-compatible', PATHS['openai-compatible'], /^data: \{"error"[\s\S]*\[DONE\]\n\n$/],
  ];
  for (const [api, path, due] of ends) {
    const { meter, reader, steps, askedTimes } = await opened(
      { whenSpent: 'cut', stepTokens: 10 },
      {},
      api,
      path,
    );
    const texts: Partial<Record<Api, object>> = {
      gemini: { candidates: [{ content: { parts: [{ text: 'x'.repeat(90) }] } }] },
      'openai-responses': { type: 'response.output_text.delta', delta: 'x'.repeat(90) },
      'anthropic-messages': { type: 'content_block_delta', delta: { text: 'x'.repeat(90) } },
    };
    reader.data(
      Buffer.from(events([texts[api] ?? { choices: [{ text: 'x'.repeat(90), delta: { content: 'x' } }] }])),
    );
    t.equal(askedTimes(), 1, api);
    t.match(steps.refused(SPENT)?.toString(), due, api);
    await meter.close();
  }
});

t.test('the error body of each API', (t) => {
  const held = new ProblemError('budget-held', 'The rest is held.');
  t.match(errorShape('openai-chat')(SPENT, 429), {
    error: { type: 'insufficient_quota', code: 'insufficient_quota', message: SPENT.message, param: null },
  });
  t.match(errorShape('azure-openai')(held, 429), {
    error: { type: 'rate_limit_error', code: 'budget_held' },
  });
  t.match(errorShape('openai-responses')(new ProblemError('model-unknown', 'x'), 400), {
    error: { type: 'invalid_request_error', code: 'model_unknown' },
  });
  t.match(errorShape('anthropic-messages')(SPENT, 429), {
    type: 'error',
    error: { type: 'rate_limit_error', message: SPENT.message },
  });
  t.match(errorShape('gemini')(SPENT, 429), {
    error: { code: 429, status: 'RESOURCE_EXHAUSTED', message: SPENT.message },
  });
  for (const { status } of Object.values(CATALOGUE)) {
    for (const api of ['openai-chat', 'anthropic-messages', 'gemini'] as const)
      t.type(errorShape(api)(SPENT, status), Object, `${api} ${status}`);
  }
  t.end();
});
