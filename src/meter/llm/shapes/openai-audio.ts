/**
 * OpenAI audio: speech to text (forms) and text to speech (JSON). A second of sound that is billed by time counts
 * `tokensPerSecond` tokens.
 */
import { ProblemError } from '../../../errors/catalogue.js';
import { compileLayout } from '../request.js';
import { plainPath, type Shape, type ShapeOf } from '../shape.js';
import { isObject, type Json, usageOf } from '../usage.js';
import type { UsageAccumulator } from '../usage-accumulator.js';
import type { ReadUsage } from '../usage-merge.js';
import { openaiClosing, openaiError } from './openai-error.js';
import { answerUsage } from './openai-usage.js';

const SECONDS_MAX = 10_000_000;

/** A slow speaking rate in bytes of text. Scripts with more bytes per letter have fewer letters per second. */
const SPOKEN_BYTES_PER_SECOND = 12;
const SLOWEST = 0.25;
const FASTEST = 4;

/** Models billed by time report seconds instead of tokens. */
const soundUsage =
  (tokensPerSecond: number): ReadUsage =>
  (raw) => {
    const hasSeconds = raw.type === 'duration' || (raw.type !== 'tokens' && raw.seconds !== undefined);
    if (!hasSeconds) return answerUsage(raw);
    const seconds = secondsIn(raw);
    const isCount = seconds >= 0 && seconds <= SECONDS_MAX;
    return usageOf({ input: isCount ? Math.ceil(seconds * tokensPerSecond) : Number.NaN });
  };

/** Returns NaN if the value is not a number. */
function secondsIn({ seconds }: Json): number {
  return typeof seconds === 'number' || typeof seconds === 'string' ? Number(seconds) : Number.NaN;
}

/** A verbose answer without usage still reports the duration of the sound. */
function usageIn({ usage, duration }: Json): unknown {
  if (isObject(usage) || duration === undefined) return usage;
  return { type: 'duration', seconds: duration };
}

function openTranscript(accumulator: UsageAccumulator): (document: Json) => void {
  const read = soundUsage(accumulator.tokensPerSecond);
  return (document) => {
    const { type, delta, text } = document;
    if (isObject(document.error) || type === 'error') accumulator.failed = true;
    const usage = usageIn(document);
    // If seconds are billed, the text is free.
    if (!isObject(usage) || usage.type !== 'duration')
      accumulator.write(typeof type === 'string' ? delta : text);
    accumulator.observe(usage, read, 'final');
  };
}

const transcript: Shape = {
  request: compileLayout({
    model: ['model'],
    stream: ['stream'],
    outputLimits: [],
    outputLimitUnknown: true,
    choices: [],
    inputUnits: {
      paths: [],
      count: (_, textTokens, { fileBytes, audioBytesPerSecond, tokensPerSecond }) =>
        textTokens + Math.ceil(fileBytes / audioBytesPerSecond) * tokensPerSecond,
    },
    minOutputLimit: 1,
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

/**
 * Sound has no usage unless it is sent as events. Without usage, the estimated speaking time of the text is charged.
 */
const speech: Shape = {
  request: compileLayout({
    model: ['model'],
    outputLimits: [],
    outputLimitUnknown: true,
    outputUnseen: true,
    outputUnits: {
      paths: [TEXT, SPEED],
      count: (values, _, { tokensPerSecond }) => {
        const text = values.stated(TEXT);
        const bytes = text === undefined ? 0 : text.end - text.start;
        const span = values.stated(SPEED);
        const stated = span === undefined ? 1 : Number(values.text(span));
        const speed = Math.min(FASTEST, Math.max(SLOWEST, stated || SLOWEST));
        return Math.max(1, Math.ceil(bytes / SPOKEN_BYTES_PER_SECOND / speed)) * tokensPerSecond;
      },
    },
    choices: [],
    minOutputLimit: 1,
    nullable: true,
  }),
  open: (accumulator) => (document) => {
    if (isObject(document.error) || document.type === 'error') accumulator.failed = true;
    accumulator.observe(document.usage, answerUsage, 'final');
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
    `${given} has no price: only /audio/transcriptions, /audio/translations and /audio/speech are supported.`,
  );
};
