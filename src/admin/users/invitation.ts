/** Invitations by mail. What sends it is given by the caller of `buildAdmin`. */
import type { Change } from '../../ledger/port.js';

export interface Invitation {
  readonly org: string;
  readonly orgName: string;
  readonly user: string;
  readonly name: string;
  readonly email: string;
  /** Who invites. */
  readonly by: string;
  readonly at: number;
}

export interface InvitationMail {
  /** Queues the mail: the changes are part of the commit that adds the user, so that neither is without the other. */
  changesFor(invitation: Invitation): readonly Change[];
}
