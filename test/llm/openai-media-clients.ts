/** `openai`: images, transcripts and speech. Images and files go up as forms. */
import { toFile } from 'openai';
import { type Client, MODEL, type Seen, type Target } from './client.js';
import { openaiOf, openaiRefused } from './openai-clients.js';

const UPLOAD_BYTES = 4_000;

interface TokenUsage {
  readonly input_tokens: number;
  readonly output_tokens: number;
}

function seenOf(text: string, usage: TokenUsage | undefined): Seen {
  return {
    text,
    input: usage?.input_tokens ?? 0,
    output: usage?.output_tokens ?? 0,
    cached: 0,
    reasoning: 0,
  };
}

const fromBase64 = (text = '') => Buffer.from(text, 'base64').toString();

const shared = { tries: 1, isRefused: openaiRefused, plainUsage: true, noCeiling: true } as const;

export function mediaClients(target: Target): Client[] {
  const client = openaiOf(target);
  const upload = async () =>
    await toFile(Buffer.alloc(UPLOAD_BYTES, 7), 'söund.webm', { type: 'audio/webm' });
  const model = MODEL;
  return [
    {
      ...shared,
      name: 'openai images',
      api: 'openai-images',
      async whole(prompt) {
        const { data, usage } = await client.images.generate({ model, prompt });
        return seenOf(fromBase64(data?.[0]?.b64_json), usage);
      },
    },
    {
      ...shared,
      name: 'openai images, streamed',
      api: 'openai-images',
      async whole(prompt) {
        const stream = await client.images.generate({ model, prompt, stream: true, partial_images: 1 });
        for await (const event of stream)
          if (event.type === 'image_generation.completed')
            return seenOf(fromBase64(event.b64_json), event.usage);
        throw new Error('no image');
      },
    },
    {
      ...shared,
      name: 'openai images, edited',
      api: 'openai-images',
      async whole(prompt) {
        const image = [await upload(), await upload()];
        const { data, usage } = await client.images.edit({ model, prompt, image, n: 2 });
        return seenOf(fromBase64(data?.[0]?.b64_json), usage);
      },
    },
    {
      ...shared,
      name: 'openai transcripts',
      api: 'openai-audio',
      async whole(prompt) {
        const { text, usage } = await client.audio.transcriptions.create({
          model,
          prompt,
          file: await upload(),
        });
        return seenOf(text, usage?.type === 'tokens' ? usage : undefined);
      },
      async stream(prompt, { signal, onText } = {}) {
        const stream = await client.audio.transcriptions.create(
          { model, prompt, file: await upload(), stream: true },
          signal === undefined ? {} : { signal },
        );
        let seen = seenOf('', undefined);
        for await (const event of stream) {
          if (event.type === 'transcript.text.delta') onText?.(event.delta);
          if (event.type === 'transcript.text.done') seen = seenOf(event.text, event.usage);
        }
        return seen;
      },
    },
    {
      ...shared,
      name: 'openai speech',
      api: 'openai-audio',
      async whole(input) {
        const answer = await client.audio.speech.create({
          model,
          input,
          voice: 'alloy',
          stream_format: 'sse',
        });
        const events = Array.from((await answer.text()).matchAll(/^data: (.*)$/gm), ([, data = '']) =>
          JSON.parse(data),
        );
        const text = events.map((event) => fromBase64(event.audio)).join('');
        return seenOf(text, events.at(-1)?.usage);
      },
    },
  ];
}
