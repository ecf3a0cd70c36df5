/** What has changed in an org, for pages that show it. */
import Type from 'typebox';
import { ETag, named } from '../http/schema.js';

const stamp = (what: string) => Type.String({ description: `Differs if ${what} has changed` });

export const ChangesView = named(
  'Changes',
  {
    etag: ETag,
    directory: stamp('the org, a plan, user, group, limit, key or setting'),
    consumption: stamp('what is consumed'),
    events: stamp('the list of events'),
    audit: stamp('the audit log'),
  },
  {
    etag: '"n2yV0cZ5bq8TQe3rXw1LhA"',
    directory: '42',
    consumption: '1779444000000-3',
    events: '1779443000000-0',
    audit: '1779442000000-0',
  },
);
