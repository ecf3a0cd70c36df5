/**
 * Detects images, sound and files among the strings of a request. Media cost a fixed number of tokens; other strings
 * cost by their bytes. A string is media only if its key carries no text in any API and its value looks like media.
 */

/** What a key says about its value. */
export const PLAIN = 0;
/** A link, or a data: URL. */
export const LINK = 1;
/** The content of a file: a data: URL, or base64. */
export const CONTENT = 2;
/** A file that the provider already has. */
export const FILE = 3;
/** Inside a media object: base64 data. */
export const DATA = 4;
/** An object with `data` and its type. */
export const MEDIA_OBJECT = 5;
/** Inside a media object: the type of the data. */
export const TYPE = 6;
/** A list of file contents. */
export const CONTENTS = 7;

/**
 * Values under these keys control the request, or some models omit or compress them. They do not count as text that the
 * model certainly reads.
 */
export const NOT_PROMPT = 8;

export type Role = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8;

const NOT_PROMPT_KEYS = [
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
  source: MEDIA_OBJECT,
  inlineData: MEDIA_OBJECT,
  inline_data: MEDIA_OBJECT,
  input_audio: MEDIA_OBJECT,
  media_type: TYPE,
  mimeType: TYPE,
  mime_type: TYPE,
  ...Object.fromEntries(NOT_PROMPT_KEYS.map((key) => [key, NOT_PROMPT] as const)),
};

const LENGTH_MAX = Math.max(...Object.keys(ROLES).map((key) => key.length));

interface Known {
  readonly bytes: Uint8Array;
  readonly role: Role;
}

/** Keys by length. Few keys share a length, so most lookups need no byte comparison. */
const BY_LENGTH: readonly (readonly Known[])[] = Array.from({ length: LENGTH_MAX + 1 }, (_, length) =>
  Object.entries(ROLES)
    .filter(([key]) => key.length === length)
    .map(([key, role]) => ({ bytes: Buffer.from(key, 'latin1'), role })),
);

/** Returns the role of the key in the bytes [start, end). */
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

/** Returns whether the string is a data: URL of a type other than text. */
export function isMediaUrl(body: Buffer, start: number, end: number): boolean {
  return beginsWith(body, start, end, 'data:') && !beginsWith(body, start, end, 'data:text/');
}

/** An object that may be media. It is classified at its end, because its type may follow its data. */
export class MediaObject {
  dataAt = -1;
  dataBytes = 0;
  isText = false;
}

const SCHEME = /^[a-z][a-z0-9+.-]{0,9}:\/\//i;

export function hasScheme(body: Buffer, start: number, end: number): boolean {
  return SCHEME.test(body.toString('latin1', start, Math.min(end, start + 16)));
}
