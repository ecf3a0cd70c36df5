/** Journal entries as CloudEvents 1.0, in JSON: one event for each quota of each line. Their ids are the same at each attempt. */
import type { JournalCharge, JournalLine } from '../ledger/codec.js';
import { userIdOf } from '../quota/id.js';
import { formatUnits } from '../quota/units.js';

/** The action of corrections by admins. */
const ADJUSTMENT = 'adjustment';

export interface EventContext {
  readonly org: string;
  /** Separates installations that send to one receiver. */
  readonly source: string;
  /** The decimals of a quota. */
  readonly decimalsOf: (quota: string) => number;
}

/** `id`, `lines`: of an entry. */
export function eventsOf(context: EventContext, id: string, lines: readonly JournalLine[]): string[] {
  return lines.flatMap((line, lineIndex) =>
    line.charges.map((charge, index) =>
      JSON.stringify({
        specversion: '1.0',
        id: `${id}.${lineIndex}.${index}`,
        source: `/${context.source}/orgs/${context.org}`,
        type: `quotagate.${typeOf(line, charge)}`,
        subject: userIdOf(line.user),
        time: new Date(line.at).toISOString(),
        datacontenttype: 'application/json',
        data: dataOf(context, line, charge),
      }),
    ),
  );
}

function typeOf({ refused, action }: JournalLine, { units, raw }: JournalCharge): string {
  if (refused !== undefined) return 'refusal';
  if (action === ADJUSTMENT) return 'adjustment';
  return units < 0 || raw < 0 ? 'refund' : 'charge';
}

function dataOf({ org, decimalsOf }: EventContext, line: JournalLine, { quota, units, raw }: JournalCharge) {
  const { groups, action, refused } = line;
  const about = { org, user: userIdOf(line.user), groups, quota, action };
  if (refused !== undefined)
    return { ...about, count: refused.count, scope: refused.scope, group: refused.group || null };
  const decimals = decimalsOf(quota);
  return {
    ...about,
    model: line.model === '' ? null : userIdOf(line.model),
    key: line.key || null,
    units: formatUnits(units, decimals),
    raw: formatUnits(raw, decimals),
    estimated: line.estimated,
  };
}
