/** Reads the rows of an import while they arrive: CSV with a header line, or a JSON array of users. Every bad row is reported. */
import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import Type, { type Static } from 'typebox';
import { ProblemError } from '../../errors/catalogue.js';
import { GROUPS_MAX } from '../../quota/charge.js';
import { userKeyOf } from '../../quota/id.js';
import { invalid } from '../http/problems.js';
import { Email, fieldProblems, Id, members, Name, Title, validatorOf } from '../http/validate.js';
import { UserStatus } from './schemas.js';

export const ImportRow = members({
  id: Id,
  name: Type.Optional(Title),
  email: Type.Optional(Email),
  role: Type.Optional(Title),
  status: Type.Optional(UserStatus),
  groups: Type.Optional(Type.Array(Name, { maxItems: GROUPS_MAX, uniqueItems: true })),
});
type ImportRow = Static<typeof ImportRow>;

export interface Row extends ImportRow {
  readonly userKey: string;
  /** Of CSV the line in the file; of JSON the place in the array, from 1. */
  readonly line: number;
}

export interface RowProblem {
  readonly line: number;
  readonly field: string;
  readonly problem: string;
}

export interface ImportFile {
  readonly rows: readonly Row[];
  readonly sha256: string;
}

export const ROWS_MAX = 100_000;
const BYTES_MAX = 64 * 1_024 * 1_024;
/** Problems that an answer lists; it counts all. */
const PROBLEMS_MAX = 1_000;
const ROWS_A_TURN = 250;

const COLUMNS: readonly string[] = Object.keys(ImportRow.properties);
export async function readImport(body: Readable, isCsv: boolean): Promise<ImportFile> {
  const hash = createHash('sha256');
  const rows = new Rows();
  const bytes = counted(body, hash);
  for await (const { line, value } of isCsv ? csvRows(bytes) : jsonRows(bytes)) {
    rows.add(line, value);
    if (rows.count % ROWS_A_TURN === 0) await turn();
  }
  return { rows: rows.done(), sha256: hash.digest('hex') };
}

export class RowProblems {
  private readonly listed: RowProblem[] = [];
  private count = 0;

  add(problem: RowProblem): void {
    this.count += 1;
    if (this.listed.length < PROBLEMS_MAX) this.listed.push(problem);
  }

  /** Throws where there are any: an import is done as a whole, or not at all. */
  check(): void {
    if (this.count === 0) return;
    const [first] = this.listed;
    const detail = `nothing was imported: ${this.count} problems, the first in line ${first?.line}: ${first?.field} ${first?.problem}`;
    const errors = this.listed.map(({ line, field, problem }) => ({ field, problem, line }));
    throw new ProblemError('input-invalid', detail, { members: { errors, problems: this.count } });
  }
}

class Rows {
  private readonly rows = new Map<string, Row>();
  private readonly problems = new RowProblems();
  count = 0;

  add(line: number, value: unknown): void {
    this.count += 1;
    if (this.count > ROWS_MAX) throw invalid('body', `has more than ${ROWS_MAX} rows`);
    const validator = validatorOf(ImportRow);
    if (!validator.Check(value)) {
      for (const { field, problem } of fieldProblems(validator.Errors(value), 'row', ImportRow))
        this.problems.add({ line, field, problem });
      return;
    }
    const userKey = userKeyOf(value.id);
    if (userKey === undefined)
      this.problems.add({ line, field: 'id', problem: 'must be at most 256 bytes of valid Unicode' });
    else this.addUser({ ...value, userKey, line });
  }

  private addUser(row: Row): void {
    const other = this.rows.get(row.userKey);
    if (other === undefined) this.rows.set(row.userKey, row);
    else this.problems.add({ line: row.line, field: 'id', problem: `is in line ${other.line} already` });
  }

  done(): Row[] {
    this.problems.check();
    if (this.rows.size === 0) throw invalid('body', 'has no rows');
    return [...this.rows.values()];
  }
}

async function* counted(body: Readable, hash: { update(data: Buffer): unknown }): AsyncGenerator<Buffer> {
  let size = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > BYTES_MAX)
      throw new ProblemError('body-too-large', `An import has at most ${BYTES_MAX} bytes`);
    hash.update(chunk);
    yield chunk;
  }
}

interface RawRow {
  readonly line: number;
  readonly value: unknown;
}

async function* csvRows(bytes: AsyncIterable<Buffer>): AsyncGenerator<RawRow> {
  const { parse } = await import('csv-parse');
  const parser = parse({
    columns: checkedColumns,
    bom: true,
    info: true,
    trim: true,
    skip_empty_lines: true,
  });
  const fed = (async () => {
    for await (const chunk of bytes)
      if (!parser.write(chunk)) await new Promise((go) => parser.once('drain', go));
    parser.end();
  })();
  fed.catch((error: Error) => parser.destroy(error));
  try {
    for await (const { record, info } of parser as AsyncIterable<CsvRecord>)
      yield { line: info.lines, value: fromCells(record) };
  } catch (error) {
    if (error instanceof ProblemError || !(error instanceof Error) || !('code' in error)) throw error;
    throw invalid('body', `is not CSV: ${error.message}`);
  }
  await fed;
}

interface CsvRecord {
  readonly record: Readonly<Record<string, string>>;
  readonly info: { readonly lines: number };
}

function checkedColumns(header: readonly string[]): string[] {
  const unknown = header.find((name) => !COLUMNS.includes(name));
  if (unknown !== undefined)
    throw invalid('body', `has the unknown column "${unknown}" in line 1; known: ${COLUMNS.join(', ')}`);
  if (!header.includes('id')) throw invalid('body', 'has no column "id" in line 1');
  return [...header];
}

/** Empty cells say nothing. Groups are separated by semicolons. */
function fromCells(record: Readonly<Record<string, string>>): unknown {
  const row: Record<string, unknown> = {};
  for (const [name, cell] of Object.entries(record)) {
    if (cell === '' && name !== 'id') continue;
    row[name] = name === 'groups' ? cell.split(';').map((group) => group.trim()) : cell;
  }
  return row;
}

async function* jsonRows(bytes: AsyncIterable<Buffer>): AsyncGenerator<RawRow> {
  const found: unknown[] = [];
  const { JSONParser } = await import('@streamparser/json');
  const parser = new JSONParser({ paths: ['$.*'], keepStack: false });
  let isArray = true;
  parser.onValue = ({ value, key }) => {
    if (typeof key !== 'number') isArray = false;
    found.push(value);
  };
  let line = 0;
  for await (const chunk of bytes) {
    try {
      parser.write(chunk);
    } catch (error) {
      throw invalid('body', `is not JSON: ${error instanceof Error ? error.message : String(error)}`);
    }
    if (!isArray) throw invalid('body', 'must be an array of users');
    for (const value of found.splice(0)) yield { line: ++line, value };
  }
  if (!parser.isEnded) throw invalid('body', 'is not complete JSON');
}
