/** What a limit would do, asked while it is typed: who would be blocked at once. */
import { dataOf } from '../../api/client.js';
import { useQuery } from '../../api/query.js';
import { amount } from '../../format/amounts.js';
import { dayRange } from '../../format/dates.js';
import { useSettled } from '../../forms/use-settled.js';
import { texts } from '../../i18n/index.js';
import { useOrg } from '../../state/org.js';
import { Banner } from '../../ui/banner.js';
import { capOf, type LimitValues, type Preview, useUnit, writeLimit } from './limit.js';

interface Previewed {
  readonly quota: string;
  /** The limit that is changed; undefined for a new one. */
  readonly limit: string | undefined;
  readonly values: LimitValues;
}

export interface LimitPreviewState {
  /** Of the values that are typed now; undefined until it is known. */
  readonly preview: Preview | undefined;
  /** The API refuses the values: saving says why. */
  readonly refused: boolean;
  /** Asks at once, when the person is faster than the answer. */
  readonly ask: () => Promise<Preview>;
}

/** The reason has no effect, so typing it asks nothing. */
function keyOf({ quota, limit, values }: Previewed): string | undefined {
  const cap = capOf({ ...values, reason: '' });
  const isComplete = cap !== undefined && (limit !== undefined || values.id !== '');
  return isComplete ? JSON.stringify([quota, limit, values.scope, values.id, cap]) : undefined;
}

export function useLimitPreview(previewed: Previewed): LimitPreviewState {
  const { id: org } = useOrg();
  const { quota, limit, values } = previewed;
  const key = keyOf(previewed);
  const settled = useSettled(key);
  const read = () => writeLimit({ org, quota, limit }, values, { dryRun: true });
  const { data, problem, loading } = useQuery({
    key: settled === undefined ? undefined : `preview ${org} ${settled}`,
    kinds: ['directory', 'consumption'],
    read,
  });
  return {
    preview: key === settled && !loading && problem === undefined ? (data as Preview) : undefined,
    refused: problem !== undefined,
    ask: async () => (await dataOf(read())) as Preview,
  };
}

interface PreviewNoteProps extends Previewed {
  readonly state: LimitPreviewState;
}

export function PreviewNote({ state: { preview, refused }, ...previewed }: PreviewNoteProps) {
  const { preview: text } = texts.value.limits;
  const unit = useUnit(previewed.quota);
  if (keyOf(previewed) === undefined || refused) return null;
  // The place is kept, so that the dialog does not jump.
  if (preview === undefined) return <Banner tone="info">{text.checking}</Banner>;
  const { consumed, held, cap } = preview;
  if (!preview.wouldBlock)
    return (
      <Banner tone="good">
        {text.fine(amount(Math.max(0, cap - consumed - held), unit))}
        <LastCycle preview={preview} />
      </Banner>
    );
  if (previewed.values.shadow === 'yes') return <Banner tone="info">{text.shadow}</Banner>;
  return (
    <Banner tone="warn" alert>
      <strong>{blockedText(previewed.values, preview)}</strong>:{' '}
      {text.figures(amount(consumed), amount(cap, unit))}
      {held > 0 && ` ${text.held(amount(held, unit))}`}.
      {previewed.values.scope === 'group' && <BlockedUsers preview={preview} />}
      <LastCycle preview={preview} />
    </Banner>
  );
}

function blockedText({ scope, name }: LimitValues, { usersBlocked }: Preview): string {
  const { preview: text } = texts.value.limits;
  return scope === 'group' ? text.blocksGroup(name, usersBlocked.count) : text.blocks(name);
}

/** Whom the limit would have blocked in the last period, by what was consumed then. */
function LastCycle({ preview: { lastCycle } }: { readonly preview: Preview }) {
  if (lastCycle === null || lastCycle.usersBlocked === 0) return null;
  const { usersBlocked, from, to } = lastCycle;
  return <div class="small">{texts.value.limits.preview.lastCycle(usersBlocked, dayRange(from, to))}</div>;
}

const NAMED_MAX = 5;

function BlockedUsers({ preview: { usersBlocked } }: { readonly preview: Preview }) {
  const { count, users } = usersBlocked;
  const named = users.slice(0, NAMED_MAX);
  if (named.length === 0) return null;
  return <div class="small">{texts.value.limits.preview.others(named.join(', '), count - named.length)}</div>;
}
