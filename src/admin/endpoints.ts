/** Every endpoint of the admin API. A new one is added to the list of its noun, a new noun's list to this one. */
import type { Rule } from './access/roles.js';
import { ADJUSTMENT_ENDPOINTS } from './adjustments/routes.js';
import { AS_CODE_ENDPOINTS } from './as-code/routes.js';
import { AUDIT_ENDPOINTS } from './audit/routes.js';
import { CHANGE_ENDPOINTS } from './changes/routes.js';
import { EVENT_ENDPOINTS } from './events/routes.js';
import { EXPLAIN_ENDPOINTS } from './explain/routes.js';
import { GROUP_ENDPOINTS } from './groups/routes.js';
import { HISTORY_ENDPOINTS } from './history/routes.js';
import { HOLD_ENDPOINTS } from './holds/routes.js';
import type { Endpoint } from './http/endpoint.js';
import { KEY_ENDPOINTS } from './keys/routes.js';
import { BULK_ENDPOINTS } from './limits/bulk.js';
import { DISTRIBUTE_ENDPOINTS } from './limits/distribute.js';
import { RAISE_ENDPOINTS } from './limits/raise.js';
import { LIMIT_ENDPOINTS } from './limits/routes.js';
import { NOTIFICATION_ENDPOINTS } from './notifications/routes.js';
import { OVERVIEW_ENDPOINTS } from './orgs/overview.js';
import { ORG_ENDPOINTS } from './orgs/routes.js';
import { PLAN_ENDPOINTS } from './plans/routes.js';
import { RAISE_REQUEST_ENDPOINTS } from './raise-requests/routes.js';
import { SCIM_ENDPOINTS } from './scim/routes.js';
import { SESSION_ENDPOINTS } from './session/routes.js';
import { TOKEN_ENDPOINTS } from './tokens/routes.js';
import { USAGE_ENDPOINTS } from './usage/routes.js';
import { IMPORT_ENDPOINTS } from './users/import.js';
import { USER_ENDPOINTS } from './users/routes.js';

export const ENDPOINTS: readonly Endpoint[] = [
  ...ORG_ENDPOINTS,
  ...AS_CODE_ENDPOINTS,
  ...OVERVIEW_ENDPOINTS,
  ...PLAN_ENDPOINTS,
  ...USER_ENDPOINTS,
  ...IMPORT_ENDPOINTS,
  ...GROUP_ENDPOINTS,
  ...LIMIT_ENDPOINTS,
  ...RAISE_ENDPOINTS,
  ...RAISE_REQUEST_ENDPOINTS,
  ...DISTRIBUTE_ENDPOINTS,
  ...BULK_ENDPOINTS,
  ...ADJUSTMENT_ENDPOINTS,
  ...USAGE_ENDPOINTS,
  ...HISTORY_ENDPOINTS,
  ...EXPLAIN_ENDPOINTS,
  ...CHANGE_ENDPOINTS,
  ...HOLD_ENDPOINTS,
  ...NOTIFICATION_ENDPOINTS,
  ...EVENT_ENDPOINTS,
  ...AUDIT_ENDPOINTS,
  ...KEY_ENDPOINTS,
  ...SCIM_ENDPOINTS,
  ...TOKEN_ENDPOINTS,
  ...SESSION_ENDPOINTS,
];

/** The role table: one row per endpoint. `docs/reference/roles.md` is generated from it. */
export const ROLE_TABLE: Readonly<Record<string, Rule>> = Object.fromEntries(
  ENDPOINTS.map(({ method, path, rule }) => [`${method} /v1${path}`, rule]),
);
