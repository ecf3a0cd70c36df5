/** The schema of AI routes: how tokens are counted, held and weighted. */
import Type from 'typebox';
import { LLM_APIS } from '../quota/tokens.js';
import { amount, decimalNumber, flag, mapOf, oneOf, section, whole, words } from './schema-types.js';

const TOKENIZERS = ['bytes', 'o200k_base', 'cl100k_base'] as const;

const weight = (what: string) =>
  amount({ default: 1, expects: 'a decimal number ≥ 0', description: `Weight of ${what}.` });

/** A class that only some responses report. */
const part = (what: string, whole: string) =>
  Type.Optional(
    amount({
      expects: 'a decimal number ≥ 0',
      description: `Weight of ${what}. Left out: the weight of \`${whole}\`.`,
    }),
  );

const factor = (description: string) => amount({ default: 1, expects: 'a decimal number ≥ 0', description });

/** Keyed by the provider's own words. */
const byWord = (keyName: string, description: string, value: string) =>
  Type.Optional(
    mapOf(amount({ expects: 'a decimal number ≥ 0', description: value }), {
      keyName,
      keys: words({}),
      description,
    }),
  );

export const Llm = section({
  api: oneOf(LLM_APIS, { description: 'The AI API of this route: how requests and responses are read.' }),
  hold: oneOf(['ceiling', 'step'], {
    default: 'ceiling',
    description:
      'What is held before the response: all output that the request allows (`ceiling`), or a step at a time as the output arrives (`step`).',
  }),
  stepTokens: whole(1, 1_000_000, {
    default: 1_024,
    description: 'With `hold: step`: tokens per step.',
  }),
  whenShort: oneOf(['refuse', 'clamp'], {
    default: 'refuse',
    description:
      'If less is left than the hold needs: refuse the request, or lower its maximum output to what is left (`clamp`).',
  }),
  whenSpent: oneOf(['finish', 'cut'], {
    default: 'finish',
    description:
      'If a response exceeds its hold and nothing is left: let the stream finish and charge it past the limit, or end it (`cut`).',
  }),
  askUsage: flag({
    default: true,
    description:
      'Adds `stream_options.include_usage` to streaming requests, so that the response reports its usage. Set `false` for servers that refuse it: the text of the stream is counted instead.',
  }),
  otherModels: oneOf(['price', 'refuse'], {
    default: 'price',
    description:
      'A request can name further models (fallback lists, routers, tools). `price`: all must be listed, the most expensive one is held, ' +
      'and the one that responds is charged. `refuse`: such requests are refused with 400.',
  }),
  tokenizer: oneOf(TOKENIZERS, {
    default: 'bytes',
    description: 'How the input is estimated: its bytes ÷ `bytesPerToken`, or a tokenizer in its own thread.',
  }),
  bytesPerToken: decimalNumber(0.5, 100, {
    default: 3,
    description: 'Bytes of text that count as one token where the upstream reports no usage.',
  }),
  hiddenReasoningTokens: whole(0, 10_000_000, {
    default: 0,
    description:
      'Tokens added to the counted text of a response that ended before it reported usage: reasoning that the text does not show.',
  }),
  mediaTokens: whole(0, 10_000_000, {
    default: 1_500,
    description: 'Tokens held for an image, a piece of audio or a file in the request.',
  }),
  tokensPerSecond: whole(1, 1_000_000, {
    default: 20,
    description:
      'With `openai-audio`: tokens per second of audio, where the response reports seconds instead of tokens, or neither.',
  }),
  audioBytesPerSecond: whole(1, 10_000_000, {
    default: 4_000,
    description:
      'With `openai-audio`: bytes of an upload that count as one second, for the hold and where the response reports no usage.',
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
    description: 'Weighted tokens per unit of the quota: 1,000 for credits per 1,000 tokens.',
  }),
});

export const Model = section({
  match: words({
    description: 'Name of a model; `*` stands for any characters. The first that matches wins.',
  }),
  multiplier: amount({ default: 1, expects: 'a decimal number ≥ 0', description: 'Factor for all weights.' }),
  maxOutputTokens: whole(1, 100_000_000, {
    default: 4_096,
    description: 'Largest output of a response where the request sets no maximum.',
  }),
  tiers: byWord(
    'tier',
    'Service tiers with another price, by the word that the response reports (flex, priority, batch).',
    'Factor for all weights.',
  ),
  speeds: byWord(
    'speed',
    'Speeds with another price, by the word that the response reports (fast).',
    'Factor for all weights.',
  ),
  longContext: Type.Optional(
    section({
      above: whole(1, 100_000_000, {
        description: 'Requests with more input tokens than this have another price, for all their tokens.',
      }),
      input: factor('Factor for the weights of input.'),
      output: factor('Factor for the weights of output.'),
    }),
  ),
  calls: byWord(
    'tool',
    'Tools that the provider runs and charges per call (web_search, code_interpreter, file_search).',
    'Weighted tokens of one call. Multipliers do not apply.',
  ),
});
