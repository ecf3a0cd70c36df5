/**
 * Splits a form into its parts. The part headers are read twice: strictly here, to refuse anything that two parsers
 * could read differently, and by the parser that extracts the values.
 */
import { setImmediate } from 'node:timers/promises';
import { Busboy } from '@fastify/busboy';
import { ProblemError } from '../../errors/catalogue.js';

export interface FormField {
  readonly name: string;
  /** Undefined for a file. */
  readonly value: string | undefined;
  readonly bytes: number;
}

const PARTS_MAX = 256;
const HEAD_BYTES_MAX = 2_048;
/** Bytes parsed in one turn of the event loop. */
const SLICE_BYTES = 1_048_576;

const LINE_END = '\r\n';
const HEAD_END = Buffer.from('\r\n\r\n');
const DISPOSITION =
  /^content-disposition: ?form-data; ?name="([\w-]{1,64}(?:\[[\w-]{0,64}\]){0,4})"(?:; ?filename="[^"\\\p{Cc}\ufffd]{0,512}")?$/iu;
const ENCODING = /^content-transfer-encoding: ?(?:7bit|8bit|binary)$/i;
const LENGTH = /^content-length: ?\d{1,15}$/i;
const TYPE = /^content-type: ?[\w.+-]+\/[\w.+-]+(?:; ?charset="?(?:utf-8|us-ascii)"?)?$/i;
/** The type of a file may have parameters, except a charset. */
const FILE_TYPE =
  /^content-type: ?(?!.*charset)[\w.+-]+\/[\w.+-]+(?:; ?[\w.+-]+=(?:[\w.+-]+|"[\w.+, -]*"))*$/i;

/** Rejects with ProblemError `body-malformed`. */
export async function formParts(body: Buffer, boundary: string): Promise<readonly FormField[]> {
  const names = namesOf(body, Buffer.from(`--${boundary}`));
  const parts = await parsed(body, boundary);
  if (parts.length !== names.length || parts.some(({ name }, index) => name !== names[index]))
    throw malformed('is ambiguous: parsers read different parts from it');
  return parts;
}

async function parsed(body: Buffer, boundary: string): Promise<readonly FormField[]> {
  const parser = new Busboy({
    headers: { 'content-type': `multipart/form-data; boundary="${boundary}"` },
    limits: { fieldSize: body.length, fileSize: body.length, fieldNameSize: HEAD_BYTES_MAX },
    isPartAFile: (_, type, filename) => filename !== undefined || (type ?? 'text/plain') !== 'text/plain',
  });
  const parts: FormField[] = [];
  const over = new Promise<void>((resolve, reject) => {
    parser.on('finish', resolve);
    parser.on('error', () => reject(malformed('is truncated or malformed')));
  });
  parser.on('field', (name, value) => {
    if (value.includes('\ufffd')) parser.destroy(malformed(`has a field ${name} that is not UTF-8`));
    parts.push({ name, value, bytes: Buffer.byteLength(value) });
  });
  parser.on('file', (name, file) => {
    const part = { name, value: undefined, bytes: 0 };
    parts.push(part);
    file.on('data', (chunk: Buffer) => {
      part.bytes += chunk.length;
    });
    file.on('error', () => undefined);
  });
  over.catch(() => undefined);
  for (let at = 0; at < body.length && !parser.destroyed; at += SLICE_BYTES) {
    if (at > 0) await setImmediate();
    parser.write(body.subarray(at, at + SLICE_BYTES));
  }
  parser.end();
  await over;
  return parts;
}

/** The delimiter must occur only between parts, so that every parser finds the same parts. */
function namesOf(body: Buffer, delimiter: Buffer): readonly string[] {
  if (!body.subarray(0, delimiter.length).equals(delimiter)) throw malformed('must begin with its boundary');
  const names: string[] = [];
  let from = delimiter.length;
  for (;;) {
    const next = body.indexOf(delimiter, from);
    if (next < 0) break;
    if (body.toString('latin1', next - LINE_END.length, next) !== LINE_END)
      throw malformed('contains its boundary within a part');
    if (names.length === PARTS_MAX) throw malformed(`has more than ${PARTS_MAX} parts`);
    names.push(nameOf(body.subarray(from, next)));
    from = next + delimiter.length;
  }
  const rest = body.toString('latin1', from);
  if (rest !== '--' && rest !== `--${LINE_END}`) throw malformed('must end with its boundary');
  return names;
}

function nameOf(part: Buffer): string {
  const end = part.subarray(0, HEAD_BYTES_MAX).indexOf(HEAD_END);
  if (end < 0)
    throw malformed(`has a part without headers, or with more than ${HEAD_BYTES_MAX} bytes of them`);
  const [first, ...lines] = part.toString('utf8', 0, end).split(LINE_END);
  if (first !== '') throw malformed('has a boundary line with extra characters');
  const [name, ...others] = lines
    .map((line) => DISPOSITION.exec(line)?.[1])
    .filter((one) => one !== undefined);
  if (name === undefined || others.length > 0)
    throw malformed('has a part whose name or file name is missing, repeated or not plain');
  const isFile = lines.some((line) => /^content-disposition:.*filename=/i.test(line));
  const known = [DISPOSITION, isFile ? FILE_TYPE : TYPE, ENCODING, LENGTH];
  const times = known.map((field) => lines.filter((line) => field.test(line)).length);
  if (times.some((count) => count > 1) || times.reduce((sum, count) => sum + count, 0) !== lines.length)
    throw malformed(`has ambiguous headers in the part ${name}`);
  return name;
}

export function malformed(what: string): ProblemError {
  return new ProblemError('body-malformed', `The form ${what}.`);
}
