/** Name, seats and cycle of the org. */
import { Archive, Pencil } from 'lucide-preact';
import { amount } from '../../format/amounts.js';
import { texts } from '../../i18n/index.js';
import { setQuery } from '../../router.js';
import { useOrg } from '../../state/org.js';
import { may } from '../../state/session.js';
import { Button } from '../../ui/button.js';
import { Card } from '../../ui/card.js';
import { Time } from '../../ui/time.js';
import type { Org } from './settings-page.js';

interface OrgCardProps {
  readonly org: Org;
}

export function OrgCard({ org }: OrgCardProps) {
  const { settings } = texts.value;
  return (
    <Card title={settings.org.title} action={org.state === 'open' && <Acts />}>
      <Facts org={org} />
    </Card>
  );
}

function Acts() {
  const { settings, common } = texts.value;
  return (
    <div class="row">
      {may('archiveOrg') && (
        <Button size="small" icon={Archive} onClick={() => setQuery({ open: 'archive' })}>
          {settings.archive}
        </Button>
      )}
      {may('putOrg') && (
        <Button size="small" icon={Pencil} onClick={() => setQuery({ open: 'org' })}>
          {common.edit}
        </Button>
      )}
    </div>
  );
}

function Facts({ org: { id, name, seats, seatsUsed, cycle, createdAt } }: OrgCardProps) {
  const {
    cycle: { end },
  } = useOrg();
  const { org: text } = texts.value.settings;
  const facts = [
    [text.name, name],
    [text.id, id],
    [text.seats, seats === null ? text.unlimited(seatsUsed) : text.seatsOf(amount(seatsUsed), amount(seats))],
    [text.cycle, text.every[cycle.every](cycle.anchor)],
    [text.next, <Time key="end" at={end} />],
    [text.timeZone, cycle.timeZone],
    [text.created, <Time key="created" at={createdAt} as="date" />],
  ] as const;
  return (
    <dl class="facts">
      {facts.map(([label, value]) => (
        <div key={label}>
          <dt>{label}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
