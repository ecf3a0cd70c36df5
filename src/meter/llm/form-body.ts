/** A form as the JSON that it stands for, so that both are priced by one reader. */
import { ProblemError } from '../../errors/catalogue.js';
import { type FormField, formParts, malformed } from './form-parts.js';
import type { CompiledForm } from './request.js';

export interface FormBody {
  /** An object with the wanted fields; its other texts stand where they are text of the request. */
  readonly json: Buffer;
  readonly files: number;
  readonly fileBytes: number;
}

/** The text that a model is sure to read. */
const PROMPT = 'prompt';

/** Rejects with ProblemError. */
export async function readForm(body: Buffer, boundary: string, form: CompiledForm): Promise<FormBody> {
  const parts = await formParts(body, boundary);
  const wanted = new Set(form.paths.filter((path) => path.length === 1).map(([key = '']) => key));
  const forbidden = new Set(form.otherModels.map(([key]) => key));
  const fields = new Map<string, unknown>();
  const texts: string[] = [];
  let [files, fileBytes] = [0, 0];
  for (const part of parts) {
    const key = rootOf(part.name);
    if (key === '_charset_') throw malformed('must be in UTF-8, and not say another charset');
    if (forbidden.has(key))
      throw new ProblemError('cost-invalid', `${key} can choose another model: leave it out.`);
    if (wanted.has(key) || key === PROMPT) {
      if (part.name !== key || part.value === undefined || fields.has(key))
        throw malformed(`must have ${key} once, as a plain field of that name`);
      fields.set(key, typed(form, key, part.value));
    } else if (part.value === undefined) {
      files += 1;
      fileBytes += part.bytes;
    } else texts.push(part.value);
  }
  // Beside what a model is sure to read: `metadata` is no sure part of the prompt's text.
  const json = Buffer.from(JSON.stringify({ ...Object.fromEntries(fields), metadata: texts }));
  return { json, files, fileBytes };
}

/** As servers take names that care neither for case nor for lists: `Model`, `model[]`, `model[0]`. */
function rootOf(name: FormField['name']): string {
  return (name.split('[')[0] ?? '').toLowerCase();
}

/** Fields have no types: of those that are no text, what does not look like their own stays text, and is refused as such. */
function typed({ stream, choices }: CompiledForm, key: string, value: string): unknown {
  if (choices.some(([name]) => name === key) && /^(?:0|[1-9]\d{0,14})$/.test(value)) return Number(value);
  if (stream?.[0] === key && (value === 'true' || value === 'false')) return value === 'true';
  return value;
}
