/** Audit entries as the API shows them. */
import Type from 'typebox';
import { Instant, listOf, named } from '../http/schema.js';

const AuditEntry = named(
  'AuditEntry',
  {
    id: Type.String(),
    at: Instant,
    who: Type.String(),
    action: Type.String(),
    subject: Type.String(),
    from: Type.Unknown({ description: 'Before the change; null if there was nothing' }),
    to: Type.Unknown({ description: 'After the change; null if there is nothing' }),
    reason: Type.String(),
  },
  {
    id: '1779444000000-0',
    at: '2026-05-22T10:00:00.000Z',
    who: 'ops (Fz8Kq2LmNp4RsT6v)',
    action: 'limit.change',
    subject: 'limit:ai:u:ann',
    from: { units: 10_000, shadow: false },
    to: { units: 50_000, shadow: false },
    reason: 'ticket 4711',
  },
);

export const AuditList = listOf(AuditEntry, {});
