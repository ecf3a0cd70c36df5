/**
 * Which strings of a request are an image, a sound or a file: those cost a flat number of tokens, all other strings
 * cost by their bytes. Only keys that carry no text in any of the APIs are taken for media, and only what looks it.
 */

/** What a key says of its value. */
export const PLAIN = 0;
/** A link, or a data: URL. */
export const LINK = 1;
/** A file's content: a data: URL, or base64. */
export const CONTENT = 2;
/** A file that the provider has already. */
export const FILE = 3;
/** In a box: base64. */
export const DATA = 4;
/** An object with `data` and its type. */
export const BOX = 5;
/** In a box: the type of the data. */
export const TYPE = 6;
/** A list of contents. */
export const CONTENTS = 7;

/** What is below it steers the request, or is left out or packed by some models: it is no sure part of the prompt's text. */
export const ASIDE = 8;

export type Role = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8;

const ASIDE_KEYS = [
  'model',
  'role',
  'type',
  'id',
  'call_id',
  'tool_call_id',
  'tool_use_id',
  'user',
  'metadata',
  'tools',
  'functions',
  'tool_choice',
  'tool_config',
  'toolConfig',
  'format',
  'response_format',
  'schema',
  'json_schema',
  'input_schema',
  'responseSchema',
  'responseJsonSchema',
  'response_json_schema',
  'response_schema',
  'reasoning',
  'reasoning_content',
  'thinking',
  'signature',
  'thoughtSignature',
  'thought_signature',
  'encrypted_content',
  'anthropic_version',
  'anthropic_beta',
  'input_type',
  'keep_alive',
  'safety_mode',
  'responseMimeType',
  'response_mime_type',
  'responseModalities',
  'safetySettings',
  'thinkingConfig',
  'speechConfig',
  'cachedContent',
  'modalities',
  'voice',
  'stream_format',
  'output_format',
  'encoding_format',
  'embedding_types',
  'truncate',
  'truncation',
  'size',
  'quality',
  'style',
  'background',
  'moderation',
  'language',
  'service_tier',
  'reasoning_effort',
  'verbosity',
  'include',
  'stop',
  'stop_sequences',
  'stopSequences',
  'cache_control',
  'prompt_cache_key',
  'safety_identifier',
  'previous_response_id',
];

const ROLES: Readonly<Record<string, Role>> = {
  url: LINK,
  image_url: LINK,
  audio_url: LINK,
  video_url: LINK,
  file_url: LINK,
  file_uri: LINK,
  fileUri: LINK,
  file_data: CONTENT,
  file_id: FILE,
  images: CONTENTS,
  data: DATA,
  source: BOX,
  inlineData: BOX,
  inline_data: BOX,
  input_audio: BOX,
  media_type: TYPE,
  mimeType: TYPE,
  mime_type: TYPE,
  ...Object.fromEntries(ASIDE_KEYS.map((key) => [key, ASIDE] as const)),
};

const LENGTH_MAX = Math.max(...Object.keys(ROLES).map((key) => key.length));

interface Known {
  readonly bytes: Uint8Array;
  readonly role: Role;
}

/** By length: few keys share one, so that most are distinguished without being looked at. */
const BY_LENGTH: readonly (readonly Known[])[] = Array.from({ length: LENGTH_MAX + 1 }, (_, length) =>
  Object.entries(ROLES)
    .filter(([key]) => key.length === length)
    .map(([key, role]) => ({ bytes: Buffer.from(key, 'latin1'), role })),
);

/** The role of the key whose bytes are [start, end). */
export function roleOf(body: Uint8Array, start: number, end: number): Role {
  const length = end - start;
  if (length > LENGTH_MAX) return PLAIN;
  for (const { bytes, role } of BY_LENGTH[length] as readonly Known[]) {
    let at = 0;
    while (at < length && body[start + at] === bytes[at]) at += 1;
    if (at === length) return role;
  }
  return PLAIN;
}

const BASE64 = new Uint8Array(256);
for (const byte of Buffer.from(
  'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_=',
  'latin1',
))
  BASE64[byte] = 1;

export function isBase64(body: Uint8Array, start: number, end: number): boolean {
  let at = start;
  while (at < end && BASE64[body[at] ?? 0] === 1) at += 1;
  return at === end && end > start;
}

export function beginsWith(body: Buffer, start: number, end: number, text: string): boolean {
  return (
    end - start >= text.length && body.toString('latin1', start, start + text.length).toLowerCase() === text
  );
}

/** A data: URL of anything but text. */
export function isMediaUrl(body: Buffer, start: number, end: number): boolean {
  return beginsWith(body, start, end, 'data:') && !beginsWith(body, start, end, 'data:text/');
}

/** An object that may be media: known only once it is read to its end, for its type can stand behind its data. */
export class Box {
  dataAt = -1;
  dataBytes = 0;
  isText = false;
}

const SCHEME = /^[a-z][a-z0-9+.-]{0,9}:\/\//i;

export function hasScheme(body: Buffer, start: number, end: number): boolean {
  return SCHEME.test(body.toString('latin1', start, Math.min(end, start + 16)));
}
