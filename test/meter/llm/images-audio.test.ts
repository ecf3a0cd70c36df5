// Images and audio: requests in forms or JSON, usage in tokens or seconds, and answers without usage.
import t from 'tap';
import type { Models } from '../../../src/meter/llm/index.js';
import { meterOf, pass, priced } from './drive.js';
import { BOUNDARY, FORM_HEADERS, type FormPart, fields, file, formOf } from './form.js';

const MODELS: Models = [
  { match: 'cheap*', multiplier: 1, maxOutputTokens: 500 },
  { match: 'dear', multiplier: 10, maxOutputTokens: 500 },
];
const OUTPUT = { input: 0, cachedInput: 0, cacheWrite: 0, output: 1, reasoning: 1 };
const INPUT = { input: 1, cachedInput: 1, cacheWrite: 1, output: 0, reasoning: 0 };
const IMAGES = '/v1/images';
const AUDIO = '/v1/audio';
const FORM = { headers: FORM_HEADERS };
const EVENTS = { type: 'text/event-stream' };

const sse = (...events: { type: string }[]) =>
  Buffer.from(events.map((one) => `event: ${one.type}\ndata: ${JSON.stringify(one)}\n\n`).join(''));
const json = (value: unknown) => Buffer.from(JSON.stringify(value));

t.test('images: n times the output limit of the model is held, for JSON and forms', async (t) => {
  const meter = meterOf('openai-images', { weights: OUTPUT }, MODELS);
  const held = async (body: unknown, path: string, asked = {}) =>
    (await priced(meter, body, IMAGES + path, asked)).charges.items[0]?.units;
  t.equal(await held({ model: 'cheap', prompt: 'x' }, '/generations'), 500);
  t.equal(await held({ model: 'cheap', prompt: 'x', n: 3 }, '/generations'), 1_500);
  t.equal(await held({ model: 'dear', prompt: 'x', n: null }, '/generations'), 5_000);
  const edit = [
    ...fields({ model: 'cheap', prompt: 'x', n: '4', size: 'auto' }),
    file('image[]', 9),
    file('image[]', 9),
  ];
  t.equal(await held(formOf(edit), '/edits', FORM), 2_000);
  t.equal(await held({ model: 'cheap', prompt: 'x', n: 2, images: [{ file_id: 'f' }] }, '/edits'), 1_000);
  t.equal(await held(formOf([...fields({ model: 'cheap' }), file('image', 9)]), '/variations/', FORM), 500);
  const stepped = meterOf('openai-images', { weights: OUTPUT, hold: 'step', stepTokens: 10 }, MODELS);
  const one = await priced(stepped, { model: 'cheap', stream: true }, `${IMAGES}/generations`);
  t.equal(one.charges.items[0]?.units, 500, 'in steps nothing of an image could be seen');
  await Promise.all([meter.close(), stepped.close()]);
});

t.test('images: files and text of a form are its input', async (t) => {
  const meter = meterOf('openai-images', { weights: INPUT }, MODELS);
  const edit = formOf([
    ...fields({ model: 'cheap', prompt: 'x'.repeat(300) }),
    file('image[]', 9),
    file('mask', 9),
  ]);
  const units = (await priced(meter, edit, `${IMAGES}/edits`, FORM)).charges.items[0]?.units ?? 0;
  t.ok(units >= 3_100 && units < 3_130, `${units}`);
  await meter.close();
});

const USAGE = {
  total_tokens: 150,
  input_tokens: 50,
  output_tokens: 100,
  input_tokens_details: { text_tokens: 10, image_tokens: 40 },
};

t.test('images: usage to the token, by kinds; without usage all that was held', async (t) => {
  const meter = meterOf('openai-images', { weights: { ...OUTPUT, imageInput: 2, imageOutput: 3 } }, MODELS);
  const path = `${IMAGES}/generations`;
  const ask = { model: 'cheap', prompt: 'x', n: 2 };
  const data = [{ b64_json: 'A'.repeat(900) }];
  const whole = await pass(await priced(meter, ask, path), json({ created: 1, data, usage: USAGE }), {});
  t.strictSame(whole.costs, [{ units: 2 * 40 + 3 * 100, estimated: false }]);
  const large = json({ created: 1, data: [{ b64_json: 'A'.repeat(9_000_000) }], usage: USAGE });
  t.strictSame((await pass(await priced(meter, ask, path), large, {})).costs, whole.costs, 'above 8 MiB');
  const untold = await pass(await priced(meter, ask, path), json({ created: 1, data }), {});
  t.strictSame(untold.costs, [{ units: 3 * 1_000, estimated: true }]);
  const stream = { ...ask, stream: true };
  const partial = { type: 'image_generation.partial_image', b64_json: 'A'.repeat(9_000) };
  const last = { type: 'image_generation.completed', b64_json: 'A', usage: USAGE };
  const reported = await pass(await priced(meter, { ...stream, n: 1 }, path), sse(partial, last), EVENTS);
  t.strictSame(reported.costs, whole.costs);
  const both = await pass(await priced(meter, stream, path), sse(partial, last, last), EVENTS);
  t.strictSame(both.costs, [{ units: 760, estimated: false }], 'each image has its own');
  const left = await pass(await priced(meter, stream, path), sse(partial), { ...EVENTS, whole: false });
  t.strictSame(left.costs, untold.costs, 'what is left is made to its end');
  await meter.close();
});

t.test('transcripts: held by the size of the upload, charged by tokens or seconds', async (t) => {
  const meter = meterOf('openai-audio', { weights: { ...INPUT, audioInput: 2, output: 1 } }, MODELS);
  const ask = async (more: Record<string, string> = {}, path = '/transcriptions') =>
    await priced(
      meter,
      formOf([...fields({ model: 'cheap', ...more }), file('file', 40_000)]),
      AUDIO + path,
      FORM,
    );
  const held = (await ask()).charges.items[0]?.units ?? 0;
  t.ok(held >= 2 * 200 + 500 && held < 2 * 200 + 520, `${held}`);
  const text = 'So it goes. '.repeat(4);
  const tokens = {
    type: 'tokens',
    input_tokens: 14,
    input_token_details: { text_tokens: 4, audio_tokens: 10 },
    output_tokens: 45,
    total_tokens: 59,
  };
  const charged = async (body: Buffer, answer = {}, more: Record<string, string> = {}) =>
    (await pass(await ask(more), body, answer)).costs;
  t.strictSame(await charged(json({ text, usage: tokens })), [{ units: 4 + 20 + 45, estimated: false }]);
  const events = sse(
    { type: 'transcript.text.delta', delta: text } as { type: string },
    { type: 'transcript.text.done', text, usage: tokens } as { type: string },
  );
  t.strictSame(await charged(events, EVENTS, { stream: 'true' }), [{ units: 69, estimated: false }]);
  const seconds = { type: 'duration', seconds: 7.2 };
  t.strictSame(await charged(json({ text, usage: seconds })), [{ units: 2 * 144, estimated: false }]);
  t.strictSame(await charged(json({ text, duration: '7.2' })), [{ units: 2 * 144, estimated: false }]);
  for (const wrong of [-1, 'x', 1e9, null]) {
    const [cost] = await charged(json({ text, usage: { type: 'duration', seconds: wrong } }));
    t.match(cost, { estimated: true }, `${wrong} seconds`);
    t.ok((cost?.units ?? 0) >= 400, `${cost?.units}`);
  }
  const plain = await charged(
    Buffer.from(text),
    { type: 'text/plain; charset=utf-8' },
    { response_format: 'text' },
  );
  t.match(plain, [{ estimated: true }]);
  t.ok((plain[0]?.units ?? 0) >= 400 + text.length / 3, 'text has no usage, and is never free');
  const srt = await charged(Buffer.from(''), { type: 'text/plain' }, { response_format: 'srt' });
  t.ok((srt[0]?.units ?? 0) >= 400, 'an empty one neither');
  await meter.close();
});

t.test('speech: sound is charged by its text, events by their usage', async (t) => {
  const meter = meterOf('openai-audio', { weights: { ...OUTPUT, audioOutput: 3 } }, MODELS);
  const path = `${AUDIO}/speech`;
  const speak = { model: 'cheap', input: 'x'.repeat(118), voice: 'alloy' };
  const sound = async (more = {}) =>
    (
      await pass(await priced(meter, { ...speak, ...more }, path), Buffer.alloc(500_000, 3), {
        type: 'audio/mpeg',
      })
    ).costs;
  t.strictSame(await sound(), [{ units: 3 * 200, estimated: true }], '120 bytes, 10 seconds');
  t.strictSame(await sound({ speed: 0.25 }), [{ units: 3 * 800, estimated: true }]);
  t.strictSame(await sound({ speed: 'x' }), [{ units: 3 * 800, estimated: true }]);
  t.strictSame(await sound({ speed: 4 }), [{ units: 3 * 60, estimated: true }]);
  const usage = { input_tokens: 30, output_tokens: 33, total_tokens: 63 };
  const done = sse({ type: 'speech.audio.done', usage } as { type: string });
  const asked = await priced(meter, { ...speak, stream_format: 'sse' }, path);
  t.strictSame((await pass(asked, done, EVENTS)).costs, [{ units: 99, estimated: false }]);
  await meter.close();
});

const named = (head: string): FormPart => ({ name: '', value: 'dear', head });
const DISPOSITION = 'Content-Disposition: form-data; name="model"';

const REFUSED: readonly (readonly [what: string, parts: readonly FormPart[] | Buffer, code: string])[] = [
  ['no model', [], 'model-unknown'],
  ['another model', fields({ model: 'no-such' }), 'model-unknown'],
  ['the model twice', [...fields({ model: 'cheap' }), ...fields({ model: 'dear' })], 'body-malformed'],
  ['the model in a list', fields({ model: 'cheap', 'model[]': 'dear' }), 'body-malformed'],
  ['the model in other case', fields({ model: 'cheap', Model: 'dear' }), 'body-malformed'],
  ['the model as a file', [{ name: 'model', value: 'cheap', filename: 'm' }], 'body-malformed'],
  ['the model as JSON', [{ name: 'model', value: 'cheap', type: 'application/json' }], 'body-malformed'],
  [
    'the model in UTF-16',
    [{ name: 'model', value: 'cheap', type: 'text/plain; charset=utf-16' }],
    'body-malformed',
  ],
  ['no UTF-8', [{ name: 'model', value: Buffer.from([0x63, 0xff]) }], 'body-malformed'],
  ['a charset for all', fields({ model: 'cheap', _charset_: 'utf-7' }), 'body-malformed'],
  ['a fallback', fields({ model: 'cheap', fallbacks: 'dear' }), 'cost-invalid'],
  ['models', fields({ model: 'cheap', 'models[0]': 'dear' }), 'cost-invalid'],
  ['stream of no kind', fields({ model: 'cheap', stream: 'yes' }), 'cost-invalid'],
  ['two names', [named(`${DISPOSITION}; name="x"`)], 'body-malformed'],
  [
    'a name behind the file name',
    [named('Content-Disposition: form-data; filename="a"; name="model"')],
    'body-malformed',
  ],
  ['a coded name', [named(`Content-Disposition: form-data; name*=utf-8''model`)], 'body-malformed'],
  ['a coded file name', [named(`${DISPOSITION}; filename*=utf-8''a`)], 'body-malformed'],
  [
    'a quote in the file name',
    [named('Content-Disposition: form-data; name="x"; filename="a\\"; name=\\"model"')],
    'body-malformed',
  ],
  [
    'two dispositions',
    [named(`Content-Disposition: form-data; name="x"\r\n${DISPOSITION}`)],
    'body-malformed',
  ],
  ['a folded head', [named('Content-Disposition: form-data;\r\n name="model"')], 'body-malformed'],
  ['a coding', [named(`${DISPOSITION}\r\nContent-Transfer-Encoding: base64`)], 'body-malformed'],
  ['no head', [named('')], 'body-malformed'],
  [
    'something before',
    Buffer.concat([Buffer.from('x\r\n'), formOf(fields({ model: 'cheap' }))]),
    'body-malformed',
  ],
  [
    'something behind',
    Buffer.concat([formOf(fields({ model: 'cheap' })), formOf(fields({ model: 'dear' }))]),
    'body-malformed',
  ],
  ['the boundary in a value', fields({ model: 'cheap', prompt: `x\n--${BOUNDARY}\nx` }), 'body-malformed'],
  ['no end', formOf(fields({ model: 'cheap' })).subarray(0, -4), 'body-malformed'],
  ['an empty body', Buffer.alloc(0), 'body-malformed'],
  ['JSON', json({ model: 'cheap' }), 'body-malformed'],
  ['too many parts', Array.from({ length: 257 }, () => file('x[]', 1)), 'body-malformed'],
];

for (const [what, parts, code] of REFUSED)
  t.test(`a form with ${what} is refused`, async (t) => {
    const meter = meterOf('openai-audio', {}, MODELS);
    const body = Buffer.isBuffer(parts) ? parts : formOf([...(parts as FormPart[]), file('file', 10)]);
    await t.rejects(priced(meter, body, `${AUDIO}/transcriptions`, FORM), { code });
    await meter.close();
  });

t.test('what other clients write in a form is taken', async (t) => {
  const meter = meterOf('openai-audio', {}, MODELS);
  const parts: FormPart[] = [
    { name: 'model', value: 'cheap', type: 'text/plain; charset=utf-8' },
    { name: 'chunking_strategy[type]', value: 'server_vad' },
    { name: 'timestamp_granularities[]', value: 'word' },
    { name: 'timestamp_granularities[]', value: 'segment' },
    { name: 'prompt', value: 'né 東 🌍' },
    { name: 'file', value: 'x', filename: 'söund 1.wav', type: 'audio/webm;codecs=opus' },
    { name: '', value: 'x', head: 'content-disposition: form-data; name="x"\r\ncontent-length: 1' },
  ];
  t.ok((await priced(meter, formOf(parts), `${AUDIO}/translations`, FORM)).reader);
  t.ok((await priced(meter, formOf(parts).subarray(0, -2), `${AUDIO}/translations`, FORM)).reader);
  const quoted = ['content-type', `Multipart/Form-Data;boundary="${BOUNDARY}"`];
  t.ok((await priced(meter, formOf(parts), `${AUDIO}/transcriptions`, { headers: quoted })).reader);
  await meter.close();
});

t.test('paths take the kind of body that they are priced by', async (t) => {
  const [images, audio] = [meterOf('openai-images', {}, MODELS), meterOf('openai-audio', {}, MODELS)];
  const form = formOf([...fields({ model: 'cheap' }), file('file', 9)]);
  const refused = { code: 'body-encoded' };
  await t.rejects(priced(images, form, `${IMAGES}/generations`, FORM), refused);
  await t.rejects(async () => await priced(images, { model: 'cheap' }, `${IMAGES}/variations`), refused);
  await t.rejects(priced(audio, form, `${AUDIO}/speech`, FORM), refused);
  await t.rejects(async () => await priced(audio, { model: 'cheap' }, `${AUDIO}/transcriptions`), refused);
  await t.rejects(async () => await priced(audio, { model: 'cheap' }, '/v1/chat/completions'), {
    code: 'cost-invalid',
  });
  await t.rejects(async () => await priced(images, { model: 'cheap' }, '/v1/videos'), {
    code: 'cost-invalid',
  });
  await Promise.all([images.close(), audio.close()]);
});
