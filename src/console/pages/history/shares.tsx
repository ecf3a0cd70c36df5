/** The sums of the shown time as a table: one row per user, group, action …; the largest first. */
import { amount, percent } from '../../format/amounts.js';
import { texts } from '../../i18n/index.js';
import { linkToPage } from '../../pages.js';
import type { HistoryRow } from '../../parts/consumption/series.js';
import { useOrg } from '../../state/org.js';
import { Card } from '../../ui/card.js';
import { type Asked, memberOf, refusedOf } from './history-query.js';

interface Share {
  readonly member: string;
  units: number;
  raw: number;
  refused: number;
}

/** More are in the CSV. */
const ROWS_MAX = 20;

/** Sums of decimals without the last digits of binary fractions. */
const rounded = (value: number): number => Math.round(value * 1e6) / 1e6;

function sharesOf(rows: readonly HistoryRow[], { dimension, measure }: Asked): Share[] {
  const shares = new Map<string, Share>();
  for (const row of rows) {
    const member = memberOf(row, dimension);
    const share = shares.get(member) ?? { member, units: 0, raw: 0, refused: 0 };
    share.units += row.units;
    share.raw += row.raw;
    share.refused += refusedOf(row);
    shares.set(member, share);
  }
  return [...shares.values()].sort((a, b) => b[measure] - a[measure]);
}

interface SharesProps {
  readonly asked: Asked;
  readonly rows: readonly HistoryRow[];
  readonly nameOf: (member: string) => string;
}

export function Shares({ asked, rows, nameOf }: SharesProps) {
  const { history } = texts.value;
  const shares = sharesOf(rows, asked);
  const total = shares.reduce((sum, share) => sum + share[asked.measure], 0);
  const { columns } = history;
  const label = history.sumsBy(history.dimensions[asked.dimension]);
  // Quotas of different units have no common sum.
  const isShared = asked.dimension !== 'quota' || asked.measure === 'refused';
  return (
    <Card title={history.sums}>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard. */}
      <section class="chart-table history-sums" tabIndex={0} aria-label={label}>
        <table class="table table-plain">
          <caption class="visually-hidden">{label}</caption>
          <thead>
            <tr>
              <th scope="col">{history.dimensions[asked.dimension]}</th>
              <th scope="col" class="numeric">
                {columns.units}
              </th>
              {isShared && (
                <th scope="col" class="numeric">
                  {columns.share}
                </th>
              )}
              <th scope="col" class="numeric">
                {columns.raw}
              </th>
              <th scope="col" class="numeric">
                {columns.refused}
              </th>
            </tr>
          </thead>
          <tbody>
            {shares.slice(0, ROWS_MAX).map((share) => (
              <tr key={share.member}>
                <th scope="row">
                  <Member asked={asked} member={share.member} name={nameOf(share.member)} />
                </th>
                <td class="numeric">{amount(rounded(share.units))}</td>
                {isShared && (
                  <td class="numeric">{total === 0 ? '–' : percent((share[asked.measure] / total) * 100)}</td>
                )}
                <td class="numeric">{amount(rounded(share.raw))}</td>
                <td class="numeric">{amount(share.refused)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      {shares.length > ROWS_MAX && <p class="small muted">{history.more(shares.length - ROWS_MAX)}</p>}
    </Card>
  );
}

interface MemberProps {
  readonly asked: Asked;
  readonly member: string;
  readonly name: string;
}

function Member({ asked: { dimension }, member, name }: MemberProps) {
  const { id: org, quotas } = useOrg();
  const isPage = dimension === 'user' || dimension === 'group';
  const href = isPage && member !== 'none' ? linkToPage(dimension, { org, [dimension]: member }) : undefined;
  if (href !== undefined) return <a href={href}>{name}</a>;
  const unit = dimension === 'quota' ? quotas.find(({ quota }) => quota === member)?.unit : undefined;
  return (
    <>
      {name} {unit !== undefined && <span class="small muted">{unit}</span>}
    </>
  );
}
