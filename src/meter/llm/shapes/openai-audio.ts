/** OpenAI audio: speech to text (forms), and text to speech (JSON). What is billed by the second counts `tokensPerSecond` each. */
import { ProblemError } from '../../../errors/catalogue.js';
import { requestForm } from '../request.js';
import { plainPath, type Shape, type ShapeOf } from '../shape.js';
import { isObject, type Json, usageOf } from '../usage.js';
import type { UsageAccumulator } from '../usage-accumulator.js';
import type { ReadUsage } from '../usage-merge.js';
import { openaiClosing, openaiError } from './openai-error.js';
import { answerUsage } from './openai-usage.js';

const SECONDS_MAX = 10_000_000;

/** Slow speech, in bytes of its text; scripts with more bytes a letter have fewer letters a second. */
const SPOKEN_BYTES_PER_SECOND = 12;
const SLOWEST = 0.25;
const FASTEST = 4;

/** Models billed by the second tell those, and no tokens. */
const soundUsage =
  (tokensPerSecond: number): ReadUsage =>
  (raw) => {
    const hasSeconds = raw.type === 'duration' || (raw.type !== 'tokens' && raw.seconds !== undefined);
    if (!hasSeconds) return answerUsage(raw);
    const seconds = secondsIn(raw);
    const isCount = seconds >= 0 && seconds <= SECONDS_MAX;
    return usageOf({
      input: isCount ? Math.ceil(seconds * tokensPerSecond) : Number.NaN,
      cachedInput: 0,
      cacheWrite: 0,
      output: 0,
      reasoning: 0,
      total: 0,
      surplus: 'input',
    });
  };

/** NaN for what is no number. */
function secondsIn({ seconds }: Json): number {
  return typeof seconds === 'number' || typeof seconds === 'string' ? Number(seconds) : Number.NaN;
}

/** Without usage a verbose answer still tells how long the sound was. */
function usageIn({ usage, duration }: Json): unknown {
  if (isObject(usage) || duration === undefined) return usage;
  return { type: 'duration', seconds: duration };
}

function openTranscript(seen: UsageAccumulator): (document: Json) => void {
  const read = soundUsage(seen.tokensPerSecond);
  return (document) => {
    const { type, delta, text } = document;
    if (isObject(document.error) || type === 'error') seen.failed = true;
    const usage = usageIn(document);
    // Where seconds are billed, the text costs nothing.
    if (!isObject(usage) || usage.type !== 'duration') seen.write(typeof type === 'string' ? delta : text);
    seen.observe(usage, read, 'final');
  };
}

const transcript: Shape = {
  request: requestForm({
    model: ['model'],
    stream: ['stream'],
    ceilings: [],
    ceilingUnknown: true,
    choices: [],
    inputUnits: {
      paths: [],
      count: (_, textTokens, { fileBytes, audioBytesPerSecond, tokensPerSecond }) =>
        textTokens + Math.ceil(fileBytes / audioBytesPerSecond) * tokensPerSecond,
    },
    ceilingLeast: 1,
    nullable: true,
  }),
  bodies: 'form',
  open: openTranscript,
  answerMembers: ['usage', 'duration', 'error'],
  inputKind: 'audioInput',
  streamsArrays: false,
  error: openaiError,
  closing: openaiClosing,
};

const TEXT = ['input'];
const SPEED = ['speed'];

/** Sound has no usage, unless it comes as events: then what its text takes to be spoken is charged. */
const speech: Shape = {
  request: requestForm({
    model: ['model'],
    ceilings: [],
    ceilingUnknown: true,
    outputUnseen: true,
    outputUnits: {
      paths: [TEXT, SPEED],
      count: (places, _, { tokensPerSecond }) => {
        const text = places.stated(TEXT);
        const bytes = text === undefined ? 0 : text.end - text.start;
        const place = places.stated(SPEED);
        const stated = place === undefined ? 1 : Number(places.text(place));
        const speed = Math.min(FASTEST, Math.max(SLOWEST, stated || SLOWEST));
        return Math.max(1, Math.ceil(bytes / SPOKEN_BYTES_PER_SECOND / speed)) * tokensPerSecond;
      },
    },
    choices: [],
    ceilingLeast: 1,
    nullable: true,
  }),
  open: (seen) => (document) => {
    if (isObject(document.error) || document.type === 'error') seen.failed = true;
    seen.observe(document.usage, answerUsage, 'final');
  },
  answerMembers: ['usage', 'error'],
  outputKind: 'audioOutput',
  streamsArrays: false,
  error: openaiError,
  closing: openaiClosing,
};

export const openaiAudio: ShapeOf = (given) => {
  const path = plainPath(given);
  if (path === '' || path.endsWith('/audio/transcriptions') || path.endsWith('/audio/translations'))
    return transcript;
  if (path.endsWith('/audio/speech')) return speech;
  throw new ProblemError(
    'cost-invalid',
    `${given} has no price here: only /audio/transcriptions, /audio/translations and /audio/speech have.`,
  );
};
