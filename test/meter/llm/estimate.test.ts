// The input estimate counts all text and each image, sound or file, however it is sent, and nothing can be hidden from it.
import t from 'tap';
import type { Api, LlmOptions } from '../../../src/meter/llm/index.js';
import { meterOf, PATHS, priced } from './drive.js';

const INPUT_ONLY = { input: 1, cachedInput: 1, cacheWrite: 1, output: 0, reasoning: 0 };
const PNG = 'iVBORw0KGgo'.repeat(400);

async function inputOf(api: Api, body: unknown, more: Partial<LlmOptions> = {}): Promise<number> {
  const meter = meterOf(api, { weights: INPUT_ONLY, bytesPerToken: 1, ...more });
  const { charges } = await priced(meter, body, PATHS[api]);
  await meter.close();
  return charges.items[0]?.units ?? 0;
}

const content = (...parts: unknown[]) => ({ model: 'm', messages: [{ role: 'user', content: parts }] });
const text = (value: string) => ({ type: 'text', text: value });

t.test('text counts by its UTF-8 bytes, however it is escaped', async (t) => {
  const base = await inputOf('openai-chat', content(text('')));
  t.equal(await inputOf('openai-chat', content(text('a\n"b'))), base + 4);
  t.equal(await inputOf('openai-chat', content(text('東京'))), base + 6);
  const escaped = JSON.stringify(content(text('東京'))).replace('東京', '\\u6771\\u4eac');
  t.equal(await inputOf('openai-chat', escaped), base + 6);
  t.equal(
    await inputOf('openai-chat', content(text('a'.repeat(100))), { bytesPerToken: 3 }),
    Math.ceil((base + 100) / 3),
  );
});

const IMAGES: [Api, unknown][] = [
  ['openai-chat', { type: 'image_url', image_url: { url: `data:image/png;base64,${PNG}` } }],
  ['openai-chat', { type: 'image_url', image_url: { url: 'https://example.org/a.png' } }],
  ['openai-chat', { type: 'input_audio', input_audio: { data: PNG, format: 'wav' } }],
  [
    'openai-chat',
    { type: 'file', file: { filename: 'a.pdf', file_data: `data:application/pdf;base64,${PNG}` } },
  ],
  ['openai-chat', { type: 'file', file: { file_id: 'file-1' } }],
  ['openai-responses', { type: 'input_image', image_url: `data:image/png;base64,${PNG}` }],
  ['openai-responses', { type: 'input_file', file_url: 'https://example.org/a.pdf' }],
  ['anthropic-messages', { type: 'image', source: { type: 'base64', media_type: 'image/png', data: PNG } }],
  ['anthropic-messages', { type: 'image', source: { data: PNG, media_type: 'image/png', type: 'base64' } }],
  ['anthropic-messages', { type: 'document', source: { type: 'url', url: 'https://example.org/a.pdf' } }],
  ['gemini', { inlineData: { mimeType: 'image/png', data: PNG } }],
  ['gemini', { inline_data: { data: PNG, mime_type: 'image/png' } }],
  ['gemini', { fileData: { mimeType: 'video/mp4', fileUri: 'gs://bucket/film' } }],
];

t.test('a part that is no text costs what is configured', async (t) => {
  for (const [api, one] of IMAGES) {
    const name = JSON.stringify(one).slice(0, 80);
    const without = await inputOf(api, content(one), { mediaTokens: 0 });
    t.equal(await inputOf(api, content(one), { mediaTokens: 1500 }), without + 1500, `${api} ${name}`);
    t.ok(without < 400, `${api} ${name}: its bytes are not text`);
  }
});

const TEXTS: [Api, unknown][] = [
  ['openai-chat', text(`data:image/png;base64,${PNG}`)],
  ['openai-chat', { type: 'text', text: 'x', data: PNG }],
  ['openai-chat', { type: 'file', file: { file_data: `data:text/plain;base64,${PNG}` } }],
  [
    'anthropic-messages',
    { type: 'document', source: { type: 'text', media_type: 'text/plain', data: `long text, ${PNG}` } },
  ],
  ['anthropic-messages', { type: 'document', source: { type: 'text', media_type: 'text/plain', data: PNG } }],
  [
    'anthropic-messages',
    { type: 'image', source: { media_type: 'image/png', data: `words and words ${PNG}` } },
  ],
  ['gemini', { inlineData: { data: PNG, mimeType: 'text/plain' } }],
  ['gemini', { functionResponse: { name: 'f', response: { data: PNG } } }],
];

t.test('text in the clothes of a file counts as text', async (t) => {
  for (const [api, one] of TEXTS)
    t.ok(
      (await inputOf(api, content(one), { mediaTokens: 0 })) >= PNG.length,
      `${api} ${JSON.stringify(one).slice(0, 80)}`,
    );
});

t.test('lists of tokens count one by one', async (t) => {
  const input = Array.from({ length: 500 }, (_, index) => index);
  const base = await inputOf('openai-embeddings', { model: 'm', input: [] });
  t.equal(await inputOf('openai-embeddings', { model: 'm', input }), base + 500);
  t.equal(await inputOf('openai-embeddings', { model: 'm', input: [input, input] }), base + 1000);
});

t.test('each prompt of a list is answered best_of times', async (t) => {
  const output = { weights: { input: 0, cachedInput: 0, cacheWrite: 0, output: 1, reasoning: 1 } };
  const held = async (prompt: unknown, more: object = {}) => {
    const meter = meterOf('openai-completions', output);
    const { charges } = await priced(
      meter,
      { model: 'm', max_tokens: 10, prompt, ...more },
      PATHS['openai-completions'],
    );
    await meter.close();
    return charges.items[0]?.units;
  };
  t.equal(await held('a'), 10);
  t.equal(await held(['a', 'b', 'c']), 30);
  t.equal(await held([1, 2, 3]), 10);
  t.equal(await held([[1], [2, 3]]), 20);
  t.equal(await held(['a', 'b'], { n: 2, best_of: 5 }), 100);
});

t.test('Accept-Encoding is narrowed to what can be read', async (t) => {
  const meter = meterOf('openai-chat');
  const fieldsFor = async (...headers: string[]) =>
    (await priced(meter, { model: 'm' }, PATHS['openai-chat'], { headers })).setFields;
  t.equal(await fieldsFor(), undefined);
  t.equal(await fieldsFor('Accept-Encoding', 'gzip, br;q=0.5'), undefined);
  t.strictSame(await fieldsFor('Accept-Encoding', 'gzip, dcb, *;q=0.1'), ['accept-encoding', 'gzip']);
  t.strictSame(await fieldsFor('Accept-Encoding', 'compress'), ['accept-encoding', 'identity']);
  await meter.close();
});
