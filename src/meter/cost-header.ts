/** Reads a cost that the caller states in a header. */
import { ProblemError } from '../errors/catalogue.js';
import { foldedName } from '../http/field-names.js';

const CONNECTION = 'connection';

/**
 * Returns the value of the header with this (lower-case) name. Refuses a missing or repeated header, a name that a
 * CGI-like server would treat as the same (`x_cost`, `x.cost`), and a Connection header that would make the next hop
 * drop it.
 */
export function costHeader(rawHeaders: readonly string[], name: string): string {
  const plain = foldedName(name);
  let value: string | undefined;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const raw = rawHeaders[index] ?? '';
    if (raw.length !== name.length && raw.length !== CONNECTION.length) continue;
    const found = raw.toLowerCase();
    const text = rawHeaders[index + 1] ?? '';
    if (found === name) {
      if (value !== undefined) throw invalid(`The header ${name} was sent more than once: send it once.`);
      value = text;
    } else if (foldedName(found) === plain) {
      throw invalid(`Some servers read the header ${found} as ${name}: remove it.`);
    } else if (found === CONNECTION && names(text, plain)) {
      throw invalid(`The header Connection must not list ${name}.`);
    }
  }
  if (value === undefined) throw invalid(`The header ${name}, which states the cost, is missing: send it.`);
  return value;
}

function names(connection: string, plain: string): boolean {
  if (connection === 'keep-alive' || connection === 'close') return false;
  return connection.split(',').some((option) => foldedName(option.trim().toLowerCase()) === plain);
}

function invalid(detail: string): ProblemError {
  return new ProblemError('cost-invalid', detail);
}
