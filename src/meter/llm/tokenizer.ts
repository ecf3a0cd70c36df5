/** Counts tokens with a tokenizer in bounded time: a run of letters costs the tokenizer the square of its length. */

/** Longer runs are split. They contain no words, and splitting can only raise the count slightly. */
const RUN_CHARACTERS_MAX = 200;

/** Texts beyond this many bytes are estimated by their length. */
const COUNTED_BYTES_MAX = 1_048_576;

export type CountTokens = (text: string) => number;

/** Megabytes each: loaded only where the config names them. */
const ENCODINGS = {
  o200k_base: () => import('gpt-tokenizer/encoding/o200k_base'),
  cl100k_base: () => import('gpt-tokenizer/encoding/cl100k_base'),
};
export type EncodingName = keyof typeof ENCODINGS;

const loaded = new Map<EncodingName, CountTokens>();

export async function tokenizerOf(name: EncodingName): Promise<CountTokens> {
  const known = loaded.get(name);
  if (known !== undefined) return known;
  const { countTokens } = await ENCODINGS[name]();
  // Special tokens in a prompt are plain text to the provider and must not throw here.
  const options = { disallowedSpecial: new Set<string>() };
  const count: CountTokens = (text) => countTokens(text, options);
  loaded.set(name, count);
  return count;
}

/**
 * @param texts start and end of each string, including quotes
 */
export function tokensOf(
  body: Buffer,
  texts: readonly number[],
  count: CountTokens,
): { tokens: number; uncountedBytes: number } {
  let tokens = 0;
  let uncountedBytes = 0;
  let left = COUNTED_BYTES_MAX;
  for (let index = 0; index < texts.length; index += 2) {
    const [start = 0, end = 0] = [texts[index], texts[index + 1]];
    left -= end - start;
    if (left < 0) uncountedBytes += end - start - 2;
    else tokens += countText(JSON.parse(body.toString('utf8', start, end)) as string, count);
  }
  return { tokens, uncountedBytes };
}

const LONG_RUN = new RegExp(`\\S{${RUN_CHARACTERS_MAX + 1},}|\\s{${RUN_CHARACTERS_MAX + 1},}`, 'g');

function countText(text: string, count: CountTokens): number {
  let tokens = 0;
  let at = 0;
  for (const { index, 0: run } of text.matchAll(LONG_RUN)) {
    if (index > at) tokens += count(text.slice(at, index));
    for (let from = 0; from < run.length; from += RUN_CHARACTERS_MAX)
      tokens += count(run.slice(from, from + RUN_CHARACTERS_MAX));
    at = index + run.length;
  }
  return at < text.length ? tokens + count(text.slice(at)) : tokens;
}
