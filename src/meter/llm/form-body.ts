/** Converts a multipart form into the equivalent JSON, so that one reader prices both. */
import { ProblemError } from '../../errors/catalogue.js';
import { type FormField, formParts, malformed } from './form-parts.js';
import type { CompiledLayout } from './request.js';

export interface FormBody {
  /** An object with the wanted fields. The other text fields are kept under `metadata`. */
  readonly json: Buffer;
  readonly files: number;
  readonly fileBytes: number;
}

/** The field that every model reads as its prompt. */
const PROMPT = 'prompt';

/** Rejects with ProblemError. */
export async function readForm(body: Buffer, boundary: string, form: CompiledLayout): Promise<FormBody> {
  const parts = await formParts(body, boundary);
  const wanted = new Set(form.paths.filter((path) => path.length === 1).map(([key = '']) => key));
  const forbidden = new Set(form.otherModels.map(([key]) => key));
  const fields = new Map<string, unknown>();
  const texts: string[] = [];
  let [files, fileBytes] = [0, 0];
  for (const part of parts) {
    const key = rootOf(part.name);
    if (key === '_charset_') throw malformed('must be in UTF-8 without a field _charset_');
    if (forbidden.has(key))
      throw new ProblemError('cost-invalid', `${key} can choose another model: remove it.`);
    if (wanted.has(key) || key === PROMPT) {
      if (part.name !== key || part.value === undefined || fields.has(key))
        throw malformed(`must have the field ${key} once, with exactly that name and no file`);
      fields.set(key, typed(form, key, part.value));
    } else if (part.value === undefined) {
      files += 1;
      fileBytes += part.bytes;
    } else texts.push(part.value);
  }
  // `metadata` counts as text of the request, but not as text that the model certainly reads.
  const json = Buffer.from(JSON.stringify({ ...Object.fromEntries(fields), metadata: texts }));
  return { json, files, fileBytes };
}

/** Normalizes a name like servers that ignore case and list syntax: `Model`, `model[]`, `model[0]`. */
function rootOf(name: FormField['name']): string {
  return (name.split('[')[0] ?? '').toLowerCase();
}

/** Form fields have no types. A number or boolean field with an invalid value stays a string and is refused later. */
function typed({ stream, choices }: CompiledLayout, key: string, value: string): unknown {
  if (choices.some(([name]) => name === key) && /^(?:0|[1-9]\d{0,14})$/.test(value)) return Number(value);
  if (stream?.[0] === key && (value === 'true' || value === 'false')) return value === 'true';
  return value;
}
