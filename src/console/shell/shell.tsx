/** The frame around each page: navigation, org, and the menu of the person. */
import { ChevronsUpDown, CircleUser, Ellipsis, LogOut, Monitor, Moon, Search, Sun } from 'lucide-preact';
import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { connection } from '../api/live.js';
import { LANGUAGES, type Language, language, texts } from '../i18n/index.js';
import icon from '../icon.svg';
import { PAGES, type Page, SECTIONS } from '../pages.js';
import { fillPath, hrefTo, place } from '../router.js';
import { setLanguage, setTheme, THEMES, theme } from '../state/preferences.js';
import { logOut, may, session } from '../state/session.js';
import { IconButton } from '../ui/button.js';
import { Menu } from '../ui/menu.js';
import { OrgDialog, OrgSwitcher } from './org-switcher.js';
import { Palette } from './palette.js';

interface ShellProps {
  readonly org: string;
  /** The id of the page that is shown. */
  readonly page: string | undefined;
  readonly children: ComponentChildren;
}

export function Shell({ org, page, children }: ShellProps) {
  const [searching, setSearching] = useState(false);
  const [switching, setSwitching] = useState(false);
  const main = useRef<HTMLElement>(null);
  useShortcuts(() => setSearching(true));
  useFocusAfterNavigation(main);
  const { shell } = texts.value;
  return (
    <div class="shell">
      <a class="skip" href="#main">
        {shell.skip}
      </a>
      <header class="phone-bar">
        <Brand org={org} />
        <IconButton icon={Search} label={shell.search} onClick={() => setSearching(true)} />
      </header>
      <Sidebar
        org={org}
        page={page}
        onSearch={() => setSearching(true)}
        onSwitch={() => setSwitching(true)}
      />
      <main class="main" id="main" ref={main} tabIndex={-1}>
        <div class="page">{children}</div>
      </main>
      {searching && <Palette org={org} onClose={() => setSearching(false)} />}
      {switching && <OrgDialog onClose={() => setSwitching(false)} />}
    </div>
  );
}

/** `/` goes to the search of the page, or opens the palette; Ctrl-K or ⌘-K always opens it. */
function useShortcuts(onSearch: () => void): void {
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent): void => {
      const isPalette = (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'k';
      const isTyping = (event.target as Element).closest?.('input, textarea, select, dialog') !== null;
      if (!isPalette && (event.key !== '/' || isTyping)) return;
      if (document.querySelector('dialog[open]')) return;
      event.preventDefault();
      const search = isPalette ? null : document.querySelector<HTMLElement>('[data-page-search]');
      if (search) search.focus();
      else onSearch();
    };
    addEventListener('keydown', onKeyDown);
    return () => removeEventListener('keydown', onKeyDown);
  }, []);
}

/** After a link to another page, screen readers go on at its beginning. */
function useFocusAfterNavigation(main: { readonly current: HTMLElement | null }): void {
  const { path } = place.value;
  const shown = useRef(path);
  useEffect(() => {
    if (shown.current === path) return;
    shown.current = path;
    main.current?.focus({ preventScroll: true });
  }, [path]);
}

function Brand({ org }: { readonly org: string }) {
  return (
    <a class="brand" href={hrefTo(fillPath('/orgs/:org/overview', { org }))}>
      <img src={icon} alt="" />
      quotagate
    </a>
  );
}

interface SidebarProps extends Omit<ShellProps, 'children'> {
  readonly onSearch: () => void;
  readonly onSwitch: () => void;
}

function Sidebar({ org, page, onSearch, onSwitch }: SidebarProps) {
  const [open, setOpen] = useState(false);
  const { path } = place.value;
  useEffect(() => setOpen(false), [path]);
  const { shell } = texts.value;
  return (
    <aside class="sidebar" data-open={open} aria-label={shell.sidebar}>
      <Brand org={org} />
      <OrgSwitcher org={org} onOpen={onSwitch} />
      <button type="button" class="nav-more search-button" onClick={onSearch}>
        <Search size={16} aria-hidden="true" />
        {shell.search}
        <kbd>/</kbd>
      </button>
      <Navigation org={org} page={page}>
        <button type="button" class="nav-more" aria-expanded={open} onClick={() => setOpen(!open)}>
          <Ellipsis size={18} aria-hidden="true" />
          {open ? shell.less : shell.more}
        </button>
      </Navigation>
      <div class="connection" data-state={connection.value}>
        {shell.connection[connection.value]}
      </div>
      <UserMenu />
    </aside>
  );
}

interface NavigationProps extends Omit<ShellProps, 'children'> {
  readonly children: ComponentChildren;
}

function Navigation({ org, page, children }: NavigationProps) {
  const { shell } = texts.value;
  return (
    <nav class="nav" aria-label={shell.navigation}>
      {SECTIONS.map((section) => {
        const pages = PAGES.filter((one) => one.nav?.section === section && may(one.operation));
        if (pages.length === 0) return null;
        return (
          <section key={section}>
            <h2>{shell.sections[section]}</h2>
            <ul>
              {pages.map((one) => (
                <NavLink key={one.id} page={one} org={org} current={one.id === page} />
              ))}
            </ul>
          </section>
        );
      })}
      {children}
    </nav>
  );
}

interface NavLinkProps {
  readonly page: Page;
  readonly org: string;
  readonly current: boolean;
}

function NavLink({ page, org, current }: NavLinkProps) {
  const { nav } = page;
  if (nav === undefined) return null;
  const Icon = nav.icon;
  return (
    <li data-first={nav.onPhone}>
      <a href={hrefTo(fillPath(page.path, { org }))} aria-current={current ? 'page' : undefined}>
        <Icon size={18} aria-hidden="true" />
        <span class="truncate">{page.title(texts.value)}</span>
      </a>
    </li>
  );
}

const THEME_ICONS = { system: Monitor, light: Sun, dark: Moon } as const;

function UserMenu() {
  const { shell } = texts.value;
  const who = session.value?.who ?? '';
  const themes = THEMES.map((one) => ({
    label: shell.themes[one],
    icon: THEME_ICONS[one],
    checked: theme.value === one,
    onSelect: () => setTheme(one),
  }));
  const languages = (Object.keys(LANGUAGES) as Language[]).map((one) => ({
    label: LANGUAGES[one],
    first: one === 'en',
    checked: language.value === one,
    onSelect: () => void setLanguage(one),
  }));
  return (
    <Menu
      label={shell.userMenu(who)}
      side="above"
      buttonClass="button user-menu"
      button={
        <>
          <CircleUser size={18} aria-hidden="true" />
          <span class="truncate">{who}</span>
          <ChevronsUpDown size={16} aria-hidden="true" />
        </>
      }
      items={[
        ...themes,
        ...languages,
        { label: texts.value.common.logOut, icon: LogOut, first: true, onSelect: () => void logOut() },
      ]}
    />
  );
}
