/** The columns of the audit log. */
import type { Schemas } from '../../api/client.js';
import { texts } from '../../i18n/index.js';
import type { Column } from '../../ui/table.js';
import { Time } from '../../ui/time.js';
import { AuditSubject } from './audit-subject.js';
import { DifferenceList } from './difference-list.js';

type AuditEntry = Schemas['AuditEntry'];

export function auditColumns(): Column<AuditEntry>[] {
  const { columns } = texts.value.audit;
  return [
    { id: 'what', label: columns.what, cell: (entry) => <WhatCell entry={entry} /> },
    {
      id: 'change',
      label: columns.change,
      cell: ({ from, to }) => <DifferenceList from={from} to={to} />,
    },
    {
      id: 'reason',
      label: columns.reason,
      cell: ({ reason }) => <span class="reason">{reason || '–'}</span>,
    },
    { id: 'who', label: columns.who, cell: ({ who }) => <WhoCell who={who} /> },
    { id: 'at', label: columns.at, cell: ({ at }) => <Time at={at} /> },
  ];
}

function WhatCell({ entry: { action, subject } }: { readonly entry: AuditEntry }) {
  const { audit } = texts.value;
  const names: Readonly<Record<string, string>> = audit.actions;
  return (
    <div class="audit-what">
      <strong>{Object.hasOwn(names, action) ? names[action] : action}</strong>
      <AuditSubject subject={subject} />
    </div>
  );
}

/** `ops (Fz8Kq2LmNp4RsT6v)`: a name, and the id of the token. */
const NAMED = /^(.+) \(([^()]+)\)$/;

function WhoCell({ who }: { readonly who: string }) {
  const [, name = who, token] = NAMED.exec(who) ?? [];
  return (
    <div class="audit-who">
      {name}
      {token !== undefined && <div class="small muted">{token}</div>}
    </div>
  );
}
