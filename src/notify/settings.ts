/** What an org wants to be told about, and whom to tell: the field `settings` of table `notices`. */
import type { Scope } from '../quota/id.js';

export const SETTINGS = 'settings';

/** Percent of a limit, ascending. */
type Thresholds = readonly number[];

/** The scopes under their names in the API. */
const SCOPES = { user: 'users', group: 'groups', org: 'org' } as const;
type ScopeName = (typeof SCOPES)[Scope];

export interface NoticeSettings {
  readonly thresholds: Readonly<Record<ScopeName, Thresholds>>;
  /** Whether the first refusal at a limit is a notice. */
  readonly refusals: Readonly<Record<ScopeName, boolean>>;
  readonly email: {
    readonly enabled: boolean;
    /** Users with the role `admin` and an address. */
    readonly admins: boolean;
    /** Further addresses. */
    readonly recipients: readonly string[];
  };
}

const DEFAULT_THRESHOLDS: Thresholds = [50, 80, 90, 100];
const USER_THRESHOLDS: Thresholds = [100];

/** `thresholds`: of groups and org. */
export function defaultSettings(thresholds: Thresholds = DEFAULT_THRESHOLDS): NoticeSettings {
  return {
    thresholds: { users: USER_THRESHOLDS, groups: ascending(thresholds), org: ascending(thresholds) },
    refusals: { users: true, groups: true, org: true },
    email: { enabled: true, admins: true, recipients: [] },
  };
}

export function ascending(thresholds: Thresholds): Thresholds {
  return [...new Set(thresholds)].sort((a, b) => a - b);
}

export function settingsIn(text: string | null | undefined): NoticeSettings {
  return text === null || text === undefined ? defaultSettings() : (JSON.parse(text) as NoticeSettings);
}

/** The org's field `thresholds`, by which the ledger queues notices: `<users>;<groups>;<org>`. */
export function thresholdsText({ thresholds }: Pick<NoticeSettings, 'thresholds'>): string {
  const { users, groups, org } = thresholds;
  return [users, groups, org].map((list) => ascending(list).join(',')).join(';');
}

/** All of them, whatever the scope. */
export function thresholdsOf(text: string): Thresholds {
  return ascending((text.match(/\d+/g) ?? []).map(Number));
}

export function isWanted(settings: NoticeSettings, scope: Scope, what: number | 'refused'): boolean {
  const name = SCOPES[scope];
  return what === 'refused' ? settings.refusals[name] : settings.thresholds[name].includes(what);
}
