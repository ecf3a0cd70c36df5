/**
 * Text forms of what the directory tables hold. Lua reads the same forms: `lua/README.md` lists them.
 *
 * | table | field | value |
 * |---|---|---|
 * | org | `plan:<quota>` | `<allowance>:<h|s|w>` (hard, soft, shadow) |
 * | org | `extra:<quota>`, `carry:<quota>` | integer |
 * | limits | line of user or group | `<units>` (hard, absolute) or `<u|p>;<amount>;<offset>;<h|w>;<raise>;<raiseUntil>` |
 * | members | user key | `<a|i|n|r>:<group>,<group>#<generation>` (active, invited, inactive, removed) |
 * | groups | group | `<generation>;<JSON>` |
 * | requests | hash of caller and `Idempotency-Key` | `<at>\|<JSON of the admin plane>` |
 */
import type { ChargeKind, Charges } from '../quota/charge.js';
import type { Scope } from '../quota/id.js';
import type { Limit, Plan, PlanMode } from '../quota/limit.js';
import type { RawAmounts } from './operations.js';

const MODE_LETTER: Record<PlanMode, string> = { hard: 'h', soft: 's', shadow: 'w' };
const LETTER_MODE: Record<string, PlanMode> = { h: 'hard', s: 'soft', w: 'shadow' };

export function encodePlan(plan: Plan): string {
  return `${plan.allowance}:${MODE_LETTER[plan.mode]}`;
}

export function decodePlan(text: string): Plan {
  const [allowance = '0', letter = 'h'] = text.split(':');
  return { allowance: Number(allowance), mode: LETTER_MODE[letter] ?? 'hard' };
}

export function encodeLimit(limit: Limit): string {
  const plain = limit.percent === 0 && !limit.shadow && limit.raiseUntil === 0;
  if (plain) return String(limit.units);
  const [kind, amount] = limit.percent === 0 ? ['u', limit.units] : ['p', limit.percent];
  return `${kind};${amount};${limit.offset};${limit.shadow ? 'w' : 'h'};${limit.raise};${limit.raiseUntil}`;
}

export function decodeLimit(text: string): Limit {
  if (!text.includes(';')) {
    return { units: Number(text), percent: 0, offset: 0, shadow: false, raise: 0, raiseUntil: 0 };
  }
  const [kind, amount, offset, mode, raise, raiseUntil] = text.split(';');
  return {
    units: kind === 'u' ? Number(amount) : 0,
    percent: kind === 'p' ? Number(amount) : 0,
    offset: Number(offset),
    shadow: mode === 'w',
    raise: Number(raise),
    raiseUntil: Number(raiseUntil),
  };
}

/** An API key's record: `<sha256 of its secret, hex>|<user key>|<expires at, 0 for never>`. */
export interface KeyRecord {
  readonly hash: string;
  readonly user: string;
  readonly expiresAt: number;
}

export function encodeKey({ hash, user, expiresAt }: KeyRecord): string {
  return `${hash}|${user}|${expiresAt}`;
}

export function decodeKey(text: string): KeyRecord {
  const [hash = '', user = '', expiresAt] = text.split('|');
  return { hash, user, expiresAt: Number(expiresAt) };
}

/** The holder of the key, if this is its secret's hash and it has not expired. */
export function holderOfKey(text: string, hash: string, now: number): string | undefined {
  const [storedHash, user, expiresAt] = text.split('|');
  const valid = storedHash === hash && (expiresAt === '0' || now < Number(expiresAt));
  return valid ? user : undefined;
}

/** A request with an `Idempotency-Key` is kept this long. */
export const REQUEST_KEPT_MS = 86_400_000;

export function encodeRequest(at: number, kept: string): string {
  return `${at}|${kept}`;
}

export function requestIn(text: string): string {
  return text.slice(text.indexOf('|') + 1);
}

export function isRequestForgotten(text: string, now: number): boolean {
  return now - Number(text.slice(0, text.indexOf('|'))) >= REQUEST_KEPT_MS;
}

export type UserStatus = 'active' | 'invited' | 'inactive' | 'removed';

const STATUS_LETTER: Record<UserStatus, string> = {
  active: 'a',
  invited: 'i',
  inactive: 'n',
  removed: 'r',
};
const LETTER_STATUS: Record<string, UserStatus> = {
  a: 'active',
  i: 'invited',
  n: 'inactive',
  r: 'removed',
};

/** A membership names the group's generation, so a group that is created again under an old id starts empty. */
export interface Membership {
  readonly group: string;
  readonly generation: number;
}

export interface Member {
  readonly status: UserStatus;
  readonly groups: readonly Membership[];
}

export function encodeMember(member: Member): string {
  const groups = member.groups.map((m) => (m.generation === 0 ? m.group : `${m.group}#${m.generation}`));
  return `${STATUS_LETTER[member.status]}:${groups.join(',')}`;
}

/** The status alone. */
export function statusIn(text: string): UserStatus {
  return LETTER_STATUS[text.charAt(0)] ?? 'removed';
}

export function decodeMember(text: string): Member {
  const list = text.slice(2);
  const groups = list === '' ? [] : list.split(',').map(decodeMembership);
  return { status: statusIn(text), groups };
}

function decodeMembership(text: string): Membership {
  const [group = '', generation = '0'] = text.split('#');
  return { group, generation: Number(generation) };
}

/** In the records: how many users are in a group of this generation. A group that is created again starts at 0. */
export function memberCountField({ group, generation }: Membership): string {
  return `members:${group}#${generation}`;
}

/** The groups in whose member counts the user is: a removed user is in none. */
export function countedGroups(member: Member | undefined): readonly Membership[] {
  return member === undefined || member.status === 'removed' ? [] : member.groups;
}

/** A deleted group keeps its field with `alive` false, so that its generation is not reused. */
export interface Group {
  readonly generation: number;
  readonly alive: boolean;
  readonly name: string;
  /** Its id in the company's directory. */
  readonly externalId?: string;
}

export function encodeGroup({ alive, generation, name, externalId }: Group): string {
  // Without a value, the text has no such member.
  return `${alive ? generation : -generation - 1};${JSON.stringify({ name, externalId })}`;
}

export function decodeGroup(text: string): Group {
  const at = text.indexOf(';');
  const mark = Number(text.slice(0, at));
  const shown = JSON.parse(text.slice(at + 1)) as Pick<Group, 'name' | 'externalId'>;
  return mark >= 0
    ? { ...shown, generation: mark, alive: true }
    : { ...shown, generation: -mark - 1, alive: false };
}

/**
 * A hold's record: `<state>|<cycle>|<admitted at>|<user>|<groups>|<action>|<items>|<expires at>`, its items
 * `<quota>:<f|e>:<units>:<charged or progress>` joined by commas. States: `o` open, `t` tombstone, `e` tombstone of a
 * request that has ended. With an API key or a model, the action is `<action>#<key>#<model>`: earlier versions, which may run
 * beside this one, take all of it for the action.
 */
export interface HoldItem {
  readonly quota: string;
  readonly fixed: boolean;
  readonly units: number;
  readonly charged: number;
}

export interface HoldRecord {
  readonly open: boolean;
  /** A tombstone whose request has ended: no new hold is created for it. */
  readonly ended: boolean;
  readonly cycle: number;
  readonly at: number;
  readonly user: string;
  readonly groups: string;
  readonly action: string;
  /** Id of the API key, and the model that the request names; '' for none. */
  readonly key: string;
  readonly model: string;
  readonly items: readonly HoldItem[];
  readonly expiresAt: number;
}

const HOLD_ITEM = '[^|:,]+:[a-zA-Z]:\\d+:\\d+';
const HOLD_RECORD = new RegExp(
  `^[a-zA-Z]\\|\\d+\\|\\d+\\|(?:[^|]*\\|){3}(?:${HOLD_ITEM}(?:,${HOLD_ITEM})*)?\\|\\d+$`,
);

export function isHoldRecord(text: string): boolean {
  return HOLD_RECORD.test(text);
}

export function decodeHold(text: string): HoldRecord {
  const [state, cycle, at, user = '', groups = '', called = '', items = '', expiresAt] = text.split('|');
  const [action = '', key = '', model = ''] = called.split('#');
  return {
    open: state === 'o',
    ended: state === 'e',
    cycle: Number(cycle),
    at: Number(at),
    user,
    groups,
    action,
    key,
    model,
    items: items === '' ? [] : items.split(',').map(decodeHoldItem),
    expiresAt: Number(expiresAt),
  };
}

function decodeHoldItem(text: string): HoldItem {
  const [quota = '', kind, units, charged] = text.split(':');
  return { quota, fixed: kind === 'f', units: Number(units), charged: Number(charged) };
}

export function encodeHold(hold: HoldRecord): string {
  const items = hold.items.map((i) => `${i.quota}:${i.fixed ? 'f' : 'e'}:${i.units}:${i.charged}`);
  const tombstone = hold.ended ? 'e' : 't';
  return [
    hold.open ? 'o' : tombstone,
    hold.cycle,
    hold.at,
    hold.user,
    hold.groups,
    hold.key === '' && hold.model === '' ? hold.action : `${hold.action}#${hold.key}#${hold.model}`,
    items.join(','),
    hold.expiresAt,
  ].join('|');
}

/**
 * One line of a journal entry: `<admitted at>|<user>|<groups>|<action>|<quota>=<units>,…|<e if estimated>`, then where it is known
 * `|<API key>|<model>|<raw>,…`. A raw amount that is left out is the units.
 *
 * A count of refused requests is `<at>|<user>||<action>|<quota>=0|r|<u, g or o>|<group>|<count>`: earlier versions add 0.
 */
export interface JournalLine {
  readonly at: number;
  readonly user: string;
  readonly groups: readonly string[];
  readonly action: string;
  readonly charges: readonly JournalCharge[];
  readonly estimated: boolean;
  /** '' if none identified the user. */
  readonly key: string;
  /** Model key; '' if the request has none. */
  readonly model: string;
  /** Requests that were refused; the one charge names the quota. */
  readonly refused?: RefusedCount;
}

export interface JournalCharge {
  readonly quota: string;
  readonly units: number;
  /** What the meter read, before weights. */
  readonly raw: number;
}

export interface RefusedCount {
  readonly scope: Scope;
  /** Id of the group whose limit refused; '' for others. */
  readonly group: string;
  readonly count: number;
}

/** When an entry of a log was appended, by the store's clock. */
export function appendedAt(entry: string): number {
  return Number(entry.split('-')[0]);
}

const SCOPE_LETTER: Record<Scope, string> = { user: 'u', group: 'g', org: 'o' };
const LETTER_SCOPE: Record<string, Scope> = { u: 'user', g: 'group', o: 'org' };
const REFUSED_MARK = 'r';

export function decodeJournal(text: string): JournalLine[] {
  return text.split('\n').map(decodeLine);
}

function decodeLine(line: string): JournalLine {
  const [at, user = '', groups = '', action = '', charges = '', mark, ...detail] = line.split('|');
  const isRefusal = mark === REFUSED_MARK;
  const [key = '', model = '', raws = ''] = isRefusal ? [] : detail;
  const raw = raws.split(',');
  return {
    at: Number(at),
    user,
    groups: groups === '' ? [] : groups.split(','),
    action,
    charges: charges.split(',').map((charge, index) => {
      const [quota = '', units] = charge.split('=');
      return { quota, units: Number(units), raw: Number(raw[index] || units) };
    }),
    estimated: mark === 'e',
    key,
    model,
    ...(isRefusal ? { refused: refusedIn(detail) } : {}),
  };
}

function refusedIn([scope = '', group = '', count]: readonly string[]): RefusedCount {
  return { scope: LETTER_SCOPE[scope] ?? 'org', group, count: Number(count) };
}

export interface RefusalLine extends RefusedCount {
  readonly at: number;
  readonly user: string;
  readonly action: string;
  readonly quota: string;
}

export function encodeRefusal({ at, user, action, quota, scope, group, count }: RefusalLine): string {
  return `${at}|${user}||${action}|${quota}=0|${REFUSED_MARK}|${SCOPE_LETTER[scope]}|${group}|${count}`;
}

/** What a journal line has after its mark. */
export function lineDetail(key: string, model: string, raws = ''): string {
  if (raws !== '') return `|${key}|${model}|${raws}`;
  if (model !== '') return `|${key}|${model}`;
  return key === '' ? '' : `|${key}`;
}

export function rawsText(raws: RawAmounts | undefined): string {
  return raws?.some((raw) => raw !== undefined) ? raws.map((raw) => raw ?? '').join(',') : '';
}

const SIGN: Record<ChargeKind, string> = { fixed: '=', held: '~', gate: '!' };
/** Most charges are created at boot, one per route, so each text is cached. */
const chargeTexts = new WeakMap<Charges, string>();

/**
 * The charges of a request as Lua reads them: `<action>;<quota><= fixed, ~ held, ! gate><units>,…[;<model>]`. A held item with a `least` has
 * `:<least>` after its units.
 */
export function encodeCharges(charges: Charges): string {
  let text = chargeTexts.get(charges);
  if (text === undefined) {
    const items = charges.items.map(({ quota, kind, units, least }) => {
      return `${quota}${SIGN[kind]}${units}${least === undefined ? '' : `:${least}`}`;
    });
    text = `${charges.action};${items.join(',')}`;
    if (charges.model !== undefined) text += `;${charges.model}`;
    chargeTexts.set(charges, text);
  }
  return text;
}
