/** Forms as clients send them, and as they should not. */
export const BOUNDARY = 'sample-boundary-7d1f';
const FORM_TYPE = `multipart/form-data; boundary=${BOUNDARY}`;
export const FORM_HEADERS = ['Content-Type', FORM_TYPE];

export interface FormPart {
  readonly name: string;
  readonly value: string | Buffer;
  readonly filename?: string;
  readonly type?: string;
  /** In place of all that the others say. */
  readonly head?: string;
}

export function formOf(parts: readonly FormPart[], boundary = BOUNDARY): Buffer {
  const pieces = parts.flatMap(({ name, value, filename, type, head }) => {
    const file = filename === undefined ? '' : `; filename="${filename}"`;
    const field = type === undefined ? '' : `\r\nContent-Type: ${type}`;
    const own = head ?? `Content-Disposition: form-data; name="${name}"${file}${field}`;
    return [Buffer.from(`--${boundary}\r\n${own}\r\n\r\n`), Buffer.from(value), Buffer.from('\r\n')];
  });
  return Buffer.concat([...pieces, Buffer.from(`--${boundary}--\r\n`)]);
}

export const fields = (values: Readonly<Record<string, string>>): FormPart[] =>
  Object.entries(values).map(([name, value]) => ({ name, value }));

export const file = (name: string, bytes: number): FormPart => ({
  name,
  value: Buffer.alloc(bytes, 7),
  filename: 'a.bin',
  type: 'application/octet-stream',
});
