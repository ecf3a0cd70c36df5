/** `POST /quota/me/requests`: a caller asks the admins for a raise of one of the limits that apply to them. */
import type { IncomingMessage } from 'node:http';
import { ProblemError } from '../errors/catalogue.js';
import { appliedWants, subjectsOf } from '../ledger/view/applied-limits.js';
import { instant, type LimitLine, limitIn, lineTo } from '../ledger/view/limit-lines.js';
import { type OrgView, readOrg, textIn } from '../ledger/view/org-view.js';
import { BodyAborted, readBody } from '../meter/body.js';
import { nameIn, namesOf } from '../notify/names.js';
import { ask, askedAgainAt, raiseRequestField, raiseRequestIn } from '../notify/raise-requests.js';
import { userIdOf } from '../quota/id.js';
import { parseUnits, type QuotaDefinition } from '../quota/units.js';
import { answerCallers, type Caller, jsonAnswer, type Me, type MeOptions } from './me.js';
import type { Refusal } from './refusal.js';

const BODY_BYTES_MAX = 4_096;
const REASON_MAX = 500;
const TRIES_MAX = 2;

export function raiseRequestsOf(options: MeOptions): Me {
  return async (request) => {
    const body = bodyIn(await bytesOf(request));
    return answerCallers(options, (caller) => askAs(options, caller, body))(request);
  };
}

interface AskedBody {
  readonly quota: string;
  /** Absent: the caller's own limit. */
  readonly group: string | undefined;
  readonly units: number | undefined;
  readonly reason: string;
}

async function bytesOf(request: IncomingMessage): Promise<Buffer> {
  try {
    return await readBody(request, BODY_BYTES_MAX);
  } catch (error) {
    if (error instanceof BodyAborted) throw malformed(error.message);
    throw error;
  }
}

function malformed(detail: string): ProblemError {
  return new ProblemError('request-malformed', detail);
}

const FORM = 'the body must be JSON such as {"quota":"ai","units":500,"reason":"release week"}';
const MEMBERS = ['quota', 'group', 'units', 'reason'];
/** Control characters, lone surrogates, and marks that change the direction of the text behind them. */
const REFUSED = /[\p{Cc}\p{Cs}\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069]/u;

function bodyIn(bytes: Buffer): AskedBody {
  const body = objectIn(bytes);
  const unknown = Object.keys(body).find((name) => !MEMBERS.includes(name));
  if (unknown !== undefined)
    throw malformed(`unknown member ${JSON.stringify(unknown)}; known: ${MEMBERS.join(', ')}`);
  const { quota, group, units, reason = '' } = body;
  if (typeof quota !== 'string') throw malformed(`quota must be the id of a quota: ${FORM}`);
  if (group !== undefined && typeof group !== 'string')
    throw malformed('group must be the id of one of your groups, or absent for your own limit');
  if (units !== undefined && typeof units !== 'number') throw malformed('units must be a number, or absent');
  if (typeof reason !== 'string' || reason.length > REASON_MAX || REFUSED.test(reason))
    throw malformed(`reason must be a text of at most ${REASON_MAX} characters on one line`);
  return { quota, group, units, reason };
}

function objectIn(bytes: Buffer): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'));
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return value as Readonly<Record<string, unknown>>;
  } catch {
    // Not JSON.
  }
  throw malformed(FORM);
}

async function askAs(
  { ledger, quotas }: MeOptions,
  { org, user, groups }: Caller,
  { quota, group, units, reason }: AskedBody,
): Promise<Refusal> {
  const definition = Object.hasOwn(quotas, quota) ? quotas[quota] : undefined;
  const isTheirs = group === undefined || groups.split(',').includes(group);
  if (definition === undefined || !isTheirs) throw noLimit(quota, group);
  const line = group === undefined ? lineTo(quota, 'user', user) : lineTo(quota, 'group', group);
  const asked = { line, user, units: unitsIn(units, definition), reason };
  const source = { ledger, quotas: new Map(Object.entries(quotas)) };
  const wants = wantsOf(line, { org, user, group });
  for (let attempt = 0; attempt < TRIES_MAX; attempt += 1) {
    const view = await readOrg(source, org, wants);
    if (limitIn(view.tables, line.field) === undefined) throw noLimit(quota, group);
    refuseAgain(view, line);
    const made = await ask({ ledger, view, name: nameIn(view)(line.scope, line.subject) }, asked);
    if (made !== undefined)
      return { ...jsonAnswer({ limit: line.field, state: made.state, at: instant(made.at) }), status: 201 };
  }
  throw new ProblemError('raise-requested', 'another request for this limit was made at the same time');
}

interface Subject {
  readonly org: string;
  readonly user: string;
  readonly group: string | undefined;
}

/** The limit with its figures, its request, and the name of its subject. */
function wantsOf(line: LimitLine, { org, user, group }: Subject) {
  const groups = group === undefined ? [] : [group];
  const subjects = subjectsOf({ org, id: userIdOf(user), key: user, groups });
  const figures = appliedWants([line.quota], subjects);
  const request = { table: 'notices', fields: [raiseRequestField(line.field)] } as const;
  return (start: number) => [...figures(start), ...namesOf([line]), request];
}

function noLimit(quota: string, group: string | undefined): ProblemError {
  const whose =
    group === undefined ? 'You have no limit' : `Your group ${JSON.stringify(group)} has no limit`;
  return new ProblemError('not-found', `${whose} of the quota ${JSON.stringify(quota)}`);
}

function unitsIn(units: number | undefined, { decimals }: QuotaDefinition): number | null {
  if (units === undefined) return null;
  const amount = parseUnits(units, decimals);
  if (amount === undefined || amount === 0)
    throw malformed(`units must be a number > 0 with at most ${decimals} decimals`);
  return amount;
}

function refuseAgain(view: OrgView, { field }: LimitLine): void {
  const text = textIn(view.tables, 'notices', raiseRequestField(field));
  if (text === undefined) return;
  const request = raiseRequestIn(text);
  const again = askedAgainAt(request, view);
  if (again === undefined) return;
  const { state, at } = request;
  const when = again === 'open' ? 'no admin has answered it yet' : `ask again after ${instant(again)}`;
  throw new ProblemError(
    'raise-requested',
    `A raise of this limit was asked for at ${instant(at)}: ${when}`,
    {
      members: { limit: field, state, at: instant(at) },
    },
  );
}
