/** The body of a PATCH: its operations, with `op` in lower case. */
import { badRequest } from './errors.js';

export interface Operation {
  readonly op: 'add' | 'replace' | 'remove';
  readonly path?: string | undefined;
  readonly value?: unknown;
}

const OPERATIONS_MAX = 1_000;

export function operationsIn(body: unknown): Operation[] {
  const fields = Object.entries((body ?? {}) as object);
  const operations: unknown = fields.find(([name]) => name.toLowerCase() === 'operations')?.[1];
  if (!Array.isArray(operations) || operations.length === 0)
    throw badRequest('invalidSyntax', 'Operations is missing or empty');
  if (operations.length > OPERATIONS_MAX)
    throw badRequest('invalidValue', `more than ${OPERATIONS_MAX} operations`);
  return operations.map(operationOf);
}

function operationOf(stated: unknown, index: number): Operation {
  const at = `Operations[${index}]`;
  if (typeof stated !== 'object' || stated === null)
    throw badRequest('invalidSyntax', `${at} is not an object`);
  const { op, path, value } = stated as Record<string, unknown>;
  const name = typeof op === 'string' ? op.toLowerCase() : '';
  if (name !== 'add' && name !== 'replace' && name !== 'remove')
    throw badRequest('invalidSyntax', `${at}.op must be add, replace or remove`);
  if (path !== undefined && path !== null && typeof path !== 'string')
    throw badRequest('invalidPath', `${at}.path is not text`);
  if (name !== 'remove' && value === undefined) throw badRequest('invalidValue', `${at}.value is missing`);
  return { op: name, path: path === '' || path === null ? undefined : path, value };
}
