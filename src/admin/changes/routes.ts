/** Whether anything has changed: pages ask every few seconds, and read again only what is new. */
import { readOrg } from '../../ledger/view/org-view.js';
import { READERS } from '../access/roles.js';
import { endpoint, ok } from '../http/endpoint.js';
import { etagOf, matchesEtag } from '../http/etag.js';
import { notFound } from '../http/problems.js';
import { NoBody } from '../http/schema.js';
import { ChangesView } from './schemas.js';

const show = endpoint({
  id: 'getChanges',
  method: 'GET',
  path: '/orgs/:org/changes',
  summary: 'Show what has changed since you last looked; with If-None-Match, 304 if nothing has',
  roles: READERS,
  answers: { 200: ChangesView, 304: NoBody },
  handle: async (admin, { params: { org }, headers }) => {
    const stamps = await admin.snapshots.stamps(org);
    if (stamps === undefined) {
      // Its data may be lost, which this says.
      await readOrg(admin, org);
      throw notFound(`org ${org}`);
    }
    const { directory, consumption, events, audit } = stamps;
    const etag = etagOf(directory, consumption, events, audit);
    if (matchesEtag(headers['if-none-match'], etag))
      return { status: 304, body: undefined, headers: { etag } };
    return ok({ etag, ...stamps });
  },
});

export const CHANGE_ENDPOINTS = [show];
