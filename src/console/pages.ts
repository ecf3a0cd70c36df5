/** The pages of the console. A page is one folder below `pages/` and one row here. */
import {
  Bell,
  ChartColumn,
  Gauge,
  Hourglass,
  KeyRound,
  LayoutDashboard,
  type LucideIcon,
  ScrollText,
  Settings,
  ShieldAlert,
  ShieldCheck,
  User,
  Users,
} from 'lucide-preact';
import type { ComponentType } from 'preact';
import type { OperationId } from './api/client.js';
import type { Texts } from './i18n/texts.js';
import { fillPath, hrefTo, type PathParams, type Query } from './router.js';
import { may } from './state/session.js';

export const SECTIONS = ['watch', 'manage', 'settings'] as const;

interface NavEntry {
  readonly section: (typeof SECTIONS)[number];
  readonly icon: LucideIcon;
  /** In the bar of phones, which has place for four; the others open from there. */
  readonly onPhone?: true;
}

/** Every page has a name by which others link to it; a link to a page that is not there is left out. */
export type PageId =
  | 'overview'
  | 'history'
  | 'events'
  | 'in-flight'
  | 'users'
  | 'user'
  | 'groups'
  | 'group'
  | 'limits'
  | 'notices'
  | 'keys'
  | 'tokens'
  | 'settings'
  | 'audit';

export interface Page {
  readonly id: PageId;
  readonly path: string;
  readonly title: (texts: Texts) => string;
  /** Who may not call it does not see the page in the navigation. */
  readonly operation: OperationId;
  /** Left out: the page is reached from others. */
  readonly nav?: NavEntry;
  readonly load: () => Promise<{ readonly default: ComponentType<{ params: PathParams }> }>;
}

/** In the order of the navigation. */
export const PAGES: readonly Page[] = [
  {
    id: 'overview',
    path: '/orgs/:org/overview',
    title: ({ overview }) => overview.title,
    operation: 'getOverview',
    nav: { section: 'watch', icon: LayoutDashboard, onPhone: true },
    load: () => import('./pages/overview/overview-page.js'),
  },
  {
    id: 'history',
    path: '/orgs/:org/history',
    title: ({ history }) => history.title,
    operation: 'getUsageHistory',
    nav: { section: 'watch', icon: ChartColumn },
    load: () => import('./pages/history/history-page.js'),
  },
  {
    id: 'events',
    path: '/orgs/:org/events',
    title: ({ events }) => events.title,
    operation: 'listEvents',
    nav: { section: 'watch', icon: ShieldAlert },
    load: () => import('./pages/events/events-page.js'),
  },
  {
    id: 'in-flight',
    path: '/orgs/:org/in-flight',
    title: ({ inFlight }) => inFlight.title,
    operation: 'listHolds',
    nav: { section: 'watch', icon: Hourglass },
    load: () => import('./pages/in-flight/in-flight-page.js'),
  },
  {
    id: 'users',
    path: '/orgs/:org/users',
    title: ({ users }) => users.title,
    operation: 'listUsers',
    nav: { section: 'manage', icon: User, onPhone: true },
    load: () => import('./pages/users/users-page.js'),
  },
  {
    id: 'user',
    path: '/orgs/:org/users/:user',
    title: ({ users }) => users.title,
    operation: 'getUser',
    load: () => import('./pages/user/user-page.js'),
  },
  {
    id: 'groups',
    path: '/orgs/:org/groups',
    title: ({ groups }) => groups.title,
    operation: 'listGroups',
    nav: { section: 'manage', icon: Users },
    load: () => import('./pages/groups/groups-page.js'),
  },
  {
    id: 'group',
    path: '/orgs/:org/groups/:group',
    title: ({ groups }) => groups.title,
    operation: 'getGroup',
    load: () => import('./pages/group/group-page.js'),
  },
  {
    id: 'limits',
    path: '/orgs/:org/limits',
    title: ({ limits }) => limits.title,
    operation: 'listLimits',
    nav: { section: 'manage', icon: Gauge, onPhone: true },
    load: () => import('./pages/limits/limits-page.js'),
  },
  {
    id: 'notices',
    path: '/orgs/:org/notices',
    title: ({ notices }) => notices.title,
    operation: 'getNotifications',
    nav: { section: 'settings', icon: Bell },
    load: () => import('./pages/notices/notices-page.js'),
  },
  {
    id: 'keys',
    path: '/orgs/:org/keys',
    title: ({ keys }) => keys.title,
    operation: 'listKeys',
    nav: { section: 'settings', icon: KeyRound },
    load: () => import('./pages/keys/keys-page.js'),
  },
  {
    id: 'tokens',
    path: '/orgs/:org/tokens',
    title: ({ tokens }) => tokens.title,
    operation: 'listTokens',
    nav: { section: 'settings', icon: ShieldCheck },
    load: () => import('./pages/tokens/tokens-page.js'),
  },
  {
    id: 'settings',
    path: '/orgs/:org/settings',
    title: ({ settings }) => settings.title,
    operation: 'getOrg',
    nav: { section: 'settings', icon: Settings },
    load: () => import('./pages/settings/settings-page.js'),
  },
  {
    id: 'audit',
    path: '/orgs/:org/audit',
    title: ({ audit }) => audit.title,
    operation: 'listAudit',
    nav: { section: 'settings', icon: ScrollText },
    load: () => import('./pages/audit/audit-page.js'),
  },
];

/** The address of a page; undefined if the token may not see it. */
export function linkToPage(id: PageId, params: PathParams, query: Query = {}): string | undefined {
  const page = PAGES.find((one) => one.id === id);
  return page !== undefined && may(page.operation) ? hrefTo(fillPath(page.path, params), query) : undefined;
}
