/** Usage of OpenAI's images and audio: their output is no text, and the unit can be a second. */
import { FORM_HEADERS, fields, file, formOf } from '../form.js';
import { type Counters, type Counts, json, last, type Source, stream, type UsageForm } from './form.js';

const mediaUsage =
  (inputKind: 'image' | 'audio') =>
  ({ input, cached, output }: Counts): Counters => ({
    input_tokens: input,
    input_tokens_details: { text_tokens: input - cached, [`${inputKind}_tokens`]: cached },
    output_tokens: output,
    total_tokens: input + output,
  });
const SOURCES: readonly Source[] = [
  { input_tokens: 'input', output_tokens: 'output', total_tokens: 'total' },
  { 'input_tokens_details.text_tokens': 'input', 'input_tokens_details.image_tokens': 'input' },
];

/** The output of a model that no row lists. */
const OUTPUT_MAX = 4_096;

const data = [{ b64_json: 'A'.repeat(3_000) }];
const images: Omit<UsageForm, 'name' | 'answer'> = {
  api: 'openai-images',
  isUnseen: true,
  furtherEstimate: OUTPUT_MAX,
  request: (prompt) => ({ model: 'm', prompt }),
  usage: mediaUsage('image'),
  sources: SOURCES,
};

const FILE_BYTES = 8_000;
/** Of the file, and of text beside the prompt. */
const FILE_ESTIMATE = 60;
const transcript: Omit<UsageForm, 'name' | 'answer'> = {
  api: 'openai-audio',
  headers: FORM_HEADERS,
  furtherEstimate: FILE_ESTIMATE,
  // Models read only the end of a prompt, and where seconds are billed it costs nothing.
  inputLeast: () => 0,
  request: (prompt) => formOf([...fields({ model: 'm', prompt }), file('file', FILE_BYTES)]),
  usage: (counts) => ({ type: 'tokens', ...mediaUsage('audio')(counts) }),
  sources: [{ input_tokens: 'input', output_tokens: 'output', total_tokens: 'total' }],
};

const SECOND = 20;
const speech: Omit<UsageForm, 'name' | 'answer'> = {
  api: 'openai-audio',
  path: '/v1/audio/speech',
  isUnseen: true,
  request: (prompt) => ({ model: 'm', voice: 'v', input: prompt, stream_format: 'sse' }),
  // Slow speech: the hold is above the estimate of the text.
  furtherEstimate: 8_000,
  usage: ({ input, output }) => ({
    input_tokens: input,
    output_tokens: output,
    total_tokens: input + output,
  }),
  sources: [{ input_tokens: 'input', output_tokens: 'output', total_tokens: 'total' }],
};

export const OPENAI_MEDIA_FORMS: readonly UsageForm[] = [
  { ...images, name: 'images', answer: (_text, usages) => json({ created: 1, data, usage: last(usages) }) },
  {
    ...images,
    name: 'images stream',
    request: (prompt) => ({ model: 'm', prompt, stream: true }),
    answer: (_text, usages) =>
      stream([
        { type: 'image_generation.partial_image', b64_json: 'A'.repeat(3_000) },
        { type: 'image_generation.completed', b64_json: 'A', usage: last(usages) },
      ]),
  },
  {
    ...images,
    name: 'image edit form',
    path: '/v1/images/edits',
    headers: FORM_HEADERS,
    furtherEstimate: OUTPUT_MAX + 1_600,
    request: (prompt) => formOf([...fields({ model: 'm', prompt }), file('image[]', 10)]),
    answer: (_text, usages) => json({ created: 1, data, usage: last(usages) }),
  },
  {
    ...transcript,
    name: 'transcription',
    answer: (text, usages) => json({ text, usage: last(usages) }),
  },
  {
    ...transcript,
    name: 'transcription stream',
    isStream: true,
    request: (prompt) =>
      formOf([...fields({ model: 'm', prompt, stream: 'true' }), file('file', FILE_BYTES)]),
    answer: (text, usages) =>
      stream([
        { type: 'transcript.text.delta', delta: text },
        ...usages.slice(0, -1).map((usage) => ({ type: 'transcript.text.segment', usage })),
        { type: 'transcript.text.done', text, usage: last(usages) },
      ]),
  },
  {
    ...transcript,
    name: 'transcription by seconds',
    hasOutput: false,
    figureUnits: SECOND,
    usage: ({ input }) => ({ type: 'duration', seconds: input }),
    sources: [{ seconds: 'input' }],
    answer: (text, usages) => json({ text, usage: last(usages) }),
  },
  {
    ...speech,
    name: 'speech events',
    answer: (_text, usages) =>
      stream([
        { type: 'speech.audio.delta', audio: 'A'.repeat(3_000) },
        { type: 'speech.audio.done', usage: last(usages) },
      ]),
  },
];
