/** Settings of AI routes: how tokens are found, held and weighed. */
import Type from 'typebox';
import { LLM_APIS } from '../quota/tokens.js';
import { amount, decimalNumber, flag, mapOf, oneOf, section, whole, words } from './schema-types.js';

const TOKENIZERS = ['bytes', 'o200k_base', 'cl100k_base'] as const;

const weight = (what: string) =>
  amount({ default: 1, expects: 'a decimal number ≥ 0', description: `What ${what} counts.` });

/** A class that only some answers tell. */
const part = (what: string, whole: string) =>
  Type.Optional(
    amount({
      expects: 'a decimal number ≥ 0',
      description: `What ${what} counts. Left out: as \`${whole}\`.`,
    }),
  );

const factor = (description: string) => amount({ default: 1, expects: 'a decimal number ≥ 0', description });

/** By words of the provider's own. */
const byWord = (keyName: string, description: string, value: string) =>
  Type.Optional(
    mapOf(keyName, words({}), amount({ expects: 'a decimal number ≥ 0', description: value }), {
      description,
    }),
  );

export const Llm = section({
  api: oneOf(LLM_APIS, { description: 'How requests and answers of this route are read.' }),
  hold: oneOf(['ceiling', 'step'], {
    default: 'ceiling',
    description:
      'What is held before the answer: all the output that the request allows, or a step of it, and more as it comes.',
  }),
  stepTokens: whole(1, 1_000_000, {
    default: 1_024,
    description: 'With `hold: step`: the tokens of a step.',
  }),
  whenShort: oneOf(['refuse', 'clamp'], {
    default: 'refuse',
    description:
      'Where less is left than would be held: the request is refused, or its own output ceiling is lowered to what is left.',
  }),
  whenSpent: oneOf(['finish', 'cut'], {
    default: 'finish',
    description:
      'Where an answer outgrows its hold and nothing is left: the stream goes on and is charged past the limit, or is cut.',
  }),
  askUsage: flag({
    default: true,
    description:
      'Streams are asked for their usage (`stream_options.include_usage`). `false`, for servers that refuse it: the text of streams is counted.',
  }),
  otherModels: oneOf(['price', 'refuse'], {
    default: 'price',
    description:
      'A request can name further models (fallback lists, routers, tools). `price`: all must be listed, the dearest is held, ' +
      'and the one that answers is charged; `refuse`: such requests are answered 400.',
  }),
  tokenizer: oneOf(TOKENIZERS, {
    default: 'bytes',
    description:
      'How the input is estimated: its bytes ÷ `bytesPerToken`, or a tokenizer in a thread of its own.',
  }),
  bytesPerToken: decimalNumber(0.5, 100, {
    default: 3,
    description: 'Bytes of text that count as one token where the upstream does not say.',
  }),
  hiddenReasoningTokens: whole(0, 10_000_000, {
    default: 0,
    description:
      'Tokens charged on top of the text of an answer that broke off before its usage: reasoning that the text does not show.',
  }),
  mediaTokens: whole(0, 10_000_000, {
    default: 1_500,
    description: 'Tokens held for an image, a piece of audio or a file in the request.',
  }),
  tokensPerSecond: whole(1, 1_000_000, {
    default: 20,
    description:
      'With `openai-audio`: tokens that one second of sound counts, where the answer tells seconds in place of tokens, or neither.',
  }),
  audioBytesPerSecond: whole(1, 10_000_000, {
    default: 4_000,
    description:
      'With `openai-audio`: bytes of an upload that are taken for a second, for the hold and where the answer tells no usage.',
  }),
  weights: section(
    {
      input: weight('a token of input'),
      cachedInput: weight('a token of input that came from a cache'),
      cacheWrite: weight('a token of input that was written to a cache'),
      output: weight('a token of output'),
      reasoning: weight('a token of reasoning'),
      cacheWrite1h: part('a token of input that was written to a cache for an hour', 'cacheWrite'),
      audioInput: part('a token of audio in the input', 'input'),
      imageInput: part('a token of images and video in the input', 'input'),
      audioOutput: part('a token of audio in the output', 'output'),
      imageOutput: part('a token of images in the output', 'output'),
    },
    { default: {} },
  ),
  per: whole(1, 1_000_000_000, {
    default: 1,
    description: 'Weighted tokens that make one unit of the quota: 1,000 for credits per 1,000 tokens.',
  }),
});

export const Model = section({
  match: words({
    description: 'Name of a model; `*` stands for any characters. The first that matches wins.',
  }),
  multiplier: amount({ default: 1, expects: 'a decimal number ≥ 0', description: 'All weights times this.' }),
  maxOutputTokens: whole(1, 100_000_000, {
    default: 4_096,
    description: 'The most output of an answer, where the request states no ceiling.',
  }),
  tiers: byWord(
    'tier',
    'Service tiers that cost another price, by the word that the answer tells (flex, priority, batch).',
    'All weights times this.',
  ),
  speeds: byWord('speed', 'The same for the speed that the answer tells (fast).', 'All weights times this.'),
  longContext: Type.Optional(
    section({
      above: whole(1, 100_000_000, {
        description: 'Input of more tokens than this has another price, all of the request.',
      }),
      input: factor('Weights of input times this.'),
      output: factor('Weights of output times this.'),
    }),
  ),
  calls: byWord(
    'tool',
    'Tools that the provider runs and charges by the call (web_search, code_interpreter, file_search).',
    'Weighted tokens of one call, which no multiplier changes.',
  ),
});
