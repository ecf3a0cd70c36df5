// A chunk that is read without being parsed counts as the parser would count it, and loses just its `usage: null`.
import fc from 'fast-check';
import t from 'tap';
import { openFastReader } from '../../../src/meter/llm/shapes/chat-fast-reader.js';
import { openChat } from '../../../src/meter/llm/shapes/openai-chat.js';
import { UsageAccumulator } from '../../../src/meter/llm/usage-accumulator.js';

const text = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.constantFrom('', ' word', '東京 🙂', 'a"b', '\n', '{', '},"usage":null,{'),
);
const delta = fc.record(
  {
    role: fc.constantFrom('assistant', null),
    content: fc.option(text),
    reasoning_content: fc.option(text),
    refusal: fc.option(text),
    tool_calls: fc.array(fc.record({ function: fc.record({ arguments: text }) }), { maxLength: 1 }),
    id: text,
  },
  { requiredKeys: [] },
);
const choice = fc.record({
  index: fc.nat(3),
  delta,
  finish_reason: fc.constantFrom(null, null, null, 'stop'),
  logprobs: fc.constant(null),
});
const usage = fc.constantFrom(null, null, { prompt_tokens: 3, completion_tokens: 4 });
const chunk = fc.record(
  {
    id: text,
    choices: fc.array(choice, { minLength: 0, maxLength: 2 }),
    usage,
    error: fc.record({ message: text }),
    x_groq: fc.record({ usage }),
    obfuscation: text,
  },
  { requiredKeys: ['id', 'choices'] },
);

const plainDelta = fc.record(
  { role: fc.constant('assistant'), content: fc.option(text), reasoning: text },
  { requiredKeys: [] },
);
const plainChunk = fc.record(
  {
    id: fc.constantFrom('c1', 'usage', 'delta'),
    choices: fc.array(fc.record({ index: fc.nat(3), delta: plainDelta, finish_reason: fc.constant(null) }), {
      minLength: 1,
      maxLength: 1,
    }),
    usage: fc.constant(null),
    obfuscation: fc.string({ unit: fc.constantFrom('a', 'é', '{', ',') }),
  },
  { requiredKeys: ['id', 'choices'] },
);

t.test('against the parser', (t) => {
  let skimmed = 0;
  fc.assert(
    fc.property(fc.oneof(chunk, plainChunk), (document: { usage?: unknown }) => {
      const data = Buffer.from(JSON.stringify(document));
      const [quick, slow] = [new UsageAccumulator(), new UsageAccumulator()];
      const usageAt = openFastReader(quick)(data);
      if (usageAt < 0) return true;
      skimmed += 1;
      openChat(slow)(JSON.parse(data.toString()));
      const rest = { ...document };
      if (rest.usage === null) delete rest.usage;
      const cut =
        usageAt === 0
          ? data.toString()
          : data.toString('latin1', 0, usageAt) + data.toString('latin1', usageAt + 13);
      const isSame = JSON.stringify(quick) === JSON.stringify(slow);
      return (
        isSame &&
        (usageAt === 0
          ? document.usage === undefined
          : Buffer.from(cut, 'latin1').toString() === JSON.stringify(rest))
      );
    }),
    { numRuns: 5_000 },
  );
  t.ok(skimmed > 500, `${skimmed} chunks were plain`);
  t.end();
});

t.test('what is not plainly a bit of text is for the parser', (t) => {
  const readFast = openFastReader(new UsageAccumulator());
  const plain = '{"choices":[{"delta":{"content":"x"},"finish_reason":null}],"usage":null}';
  t.ok(readFast(Buffer.from(plain)) > 0);
  for (const [from, to] of [
    ['"finish_reason":null', '"finish_reason":"stop"'],
    ['"usage":null', '"usage":{"prompt_tokens":1}'],
    ['"usage":null', '"usage": null'],
    ['"content":"x"', '"content":["x"]'],
    ['"content":"x"', '"content":"\\n"'],
    ['"content":"x"', '"tool_calls":[]'],
    ['"content":"x"', '"function_call":{"arguments":"x"}'],
    ['"delta":', '"message":'],
    ['{"choices"', '{"error":{},"choices"'],
    ['}],"usage":null}', '}]'],
    [plain, '[DONE]'],
    [plain, '{}'],
    [plain, ''],
  ] as const)
    t.equal(readFast(Buffer.from(plain.replace(from, to))), -1, to);
  t.end();
});
