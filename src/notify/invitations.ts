/** Invitations by mail: each is a delivery of its own, queued in the commit that adds the user. */
import { randomUUID } from 'node:crypto';
import { type Change, NOTICES_DUE } from '../ledger/port.js';
import { type Delivery, deliveryField, type Invitation, KEEP_MS } from './deliveries.js';
import { emailTarget } from './targets.js';

interface InvitedUser extends Invitation {
  readonly email: string;
  /** The store's time. */
  readonly at: number;
}

export function invitationChanges({ user, name, email, by, at }: InvitedUser): Change[] {
  const delivery: Delivery = {
    target: emailTarget(email),
    batches: [],
    notices: 0,
    invitation: { user, name, by },
    createdAt: at,
    attempts: 0,
    nextAt: at,
    giveUpAt: at + KEEP_MS,
    error: '',
  };
  return [
    { set: 'notices', field: deliveryField(randomUUID()), value: JSON.stringify(delivery) },
    // A value of its own, so that a process that is at work here looks again.
    { set: 'notices', field: NOTICES_DUE, value: `${at}:${randomUUID()}` },
  ];
}
