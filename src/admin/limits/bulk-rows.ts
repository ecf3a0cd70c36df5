/** Reads the rows of a bulk write of limits. Each bad row is reported with its index, the value, and what to do. */
import { setImmediate as turn } from 'node:timers/promises';
import type { Static } from 'typebox';
import { ProblemError } from '../../errors/catalogue.js';
import type { LimitLine } from '../../ledger/view/limit-lines.js';
import { NO_LIMIT } from '../../quota/limit.js';
import type { Quotas } from '../../quota/units.js';
import { capIn, definitionOf } from '../http/amounts.js';
import { type FieldProblem, invalid } from '../http/problems.js';
import { fieldProblems, members, validatorOf } from '../http/validate.js';
import { lineOfBody } from './routes.js';
import { StatedLimit } from './schemas.js';

export const LimitRow = members(StatedLimit);
type LimitRow = Static<typeof LimitRow>;

export interface Row {
  /** From 0. */
  readonly index: number;
  readonly stated: LimitRow;
  readonly line: LimitLine;
}

interface RowProblem extends FieldProblem {
  readonly row: number;
  /** Null: the field is absent, or is no scalar. */
  readonly value: string | number | boolean | null;
  readonly remedy: string;
}

export interface StatedRows {
  readonly rows: readonly Row[];
  readonly problems: RowProblems;
}

/** Problems that an answer lists; it counts all. */
const PROBLEMS_MAX = 1_000;
const ROWS_A_TURN = 250;
const SHOWN_MAX = 100;

export async function readRows(quotas: Quotas, values: readonly unknown[]): Promise<StatedRows> {
  const problems = new RowProblems(quotas);
  const rows = new Map<string, Row>();
  for (const [index, value] of values.entries()) {
    if (index % ROWS_A_TURN === 0) await turn();
    const row = problems.within(index, value, () => rowIn(quotas, index, value));
    if (row === undefined) continue;
    const other = rows.get(row.line.field);
    if (other === undefined) rows.set(row.line.field, row);
    else problems.add(index, value, repeated(row, other));
  }
  return { rows: [...rows.values()], problems };
}

function rowIn(quotas: Quotas, index: number, value: unknown): Row {
  const validator = validatorOf(LimitRow);
  if (!validator.Check(value)) {
    const errors = fieldProblems(validator.Errors(value), ROW, LimitRow);
    throw new ProblemError('input-invalid', 'the row is not valid', { members: { errors } });
  }
  const definition = definitionOf(quotas, value.quota, 'quota');
  const line = lineOfBody(value);
  capIn(value, { before: NO_LIMIT, definition });
  if (value.units === undefined && value.percent === undefined && value.shadow === undefined)
    throw invalid('units', 'state units, percent or shadow');
  return { index, stated: value, line };
}

function repeated({ line }: Row, other: Row): FieldProblem & { readonly remedy: string } {
  const problem = `has the limit ${line.field}, which row ${other.index} has already`;
  return { field: line.scope, problem, remedy: 'leave out one of the two rows' };
}

/** The field of a problem of a row as a whole. */
const ROW = 'row';

export class RowProblems {
  private readonly listed: RowProblem[] = [];
  private count = 0;
  private readonly remedies: Readonly<Record<string, string>>;

  constructor(
    private readonly quotas: Quotas,
    before?: RowProblems,
  ) {
    this.remedies = {
      quota: `state one of the quotas ${[...quotas.keys()].join(', ')}`,
      user: 'state a user of the org, or a group; a new user is added first',
      group: 'state a group of the org, or a user; a new group is added first',
      units: 'state either units or percent, above 0, with no more decimals than the quota has',
      percent: 'state either units or percent; percent is above 0, up to 100, of a quota with a plan',
      shadow: 'state true or false, or leave it out',
    };
    if (before === undefined) return;
    this.listed.push(...before.listed);
    this.count = before.count;
  }

  /** A copy, to which each attempt of the write adds its own. */
  copy(): RowProblems {
    return new RowProblems(this.quotas, this);
  }

  /** Undefined: `check` found the row invalid, and the problem is noted. */
  within<Checked>(row: number, stated: unknown, check: () => Checked): Checked | undefined {
    try {
      return check();
    } catch (error) {
      if (!(error instanceof ProblemError) || error.code !== 'input-invalid') throw error;
      for (const one of error.members.errors as readonly FieldProblem[]) this.add(row, stated, one);
      return undefined;
    }
  }

  add(row: number, stated: unknown, { field, problem, remedy }: FieldProblem & { readonly remedy?: string }) {
    this.count += 1;
    if (this.listed.length >= PROBLEMS_MAX) return;
    this.listed.push({
      row,
      field: field === ROW ? `limits/${row}` : `limits/${row}/${field}`,
      value: valueAt(stated, field),
      problem,
      remedy: remedy ?? this.remedies[field] ?? `state only ${Object.keys(LimitRow.properties).join(', ')}`,
    });
  }

  /** Throws where there are any: the limits are set as a whole, or not at all. */
  check(): void {
    if (this.count === 0) return;
    const errors = this.listed.sort((a, b) => a.row - b.row);
    const [first] = errors;
    const detail = `no limit was set: ${this.count} problems, the first: ${first?.field} ${first?.problem}`;
    throw new ProblemError('input-invalid', detail, { members: { errors, problems: this.count } });
  }
}

function valueAt(stated: unknown, field: string): RowProblem['value'] {
  const isObject = typeof stated === 'object' && stated !== null;
  const value: unknown = isObject && Object.hasOwn(stated, field) ? Reflect.get(stated, field) : undefined;
  const shown = isObject ? value : stated;
  if (typeof shown === 'string') return shown.slice(0, SHOWN_MAX).toWellFormed();
  return typeof shown === 'number' || typeof shown === 'boolean' ? shown : null;
}
