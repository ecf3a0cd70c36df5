/** The address of the page: a path below `/console`, and a query in which filters, tabs and pages are kept. */
import { type ReadonlySignal, signal } from '@preact/signals';
import { store, stored } from './state/storage.js';

const BASE = '/console';

export interface Place {
  /** Below `/console`, with a slash in front. */
  readonly path: string;
  readonly query: URLSearchParams;
}

const current = signal<Place>(here());

export const place: ReadonlySignal<Place> = current;

function here(): Place {
  const { pathname, search } = window.location;
  return { path: pathname.slice(BASE.length) || '/', query: new URLSearchParams(search) };
}

export function startRouter(): void {
  addEventListener('popstate', () => {
    current.value = here();
  });
  document.addEventListener('click', followLink);
}

/** Links of the console change the address without loading the page again. */
function followLink(event: MouseEvent): void {
  const isPlain =
    event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.defaultPrevented;
  const link = (event.target as Element | null)?.closest?.('a');
  if (!isPlain || !link || link.target !== '' || link.hash !== '' || link.hasAttribute('download')) return;
  if (link.origin !== window.location.origin || !link.pathname.startsWith(`${BASE}/`)) return;
  event.preventDefault();
  navigate(link.pathname.slice(BASE.length) + link.search);
}

const KEPT_PLACE = 'place';

/** Before a login at the identity provider, which comes back to the first page. */
export function keepPlace(): void {
  const { path, query } = current.peek();
  if (path === '/') return;
  store('session', KEPT_PLACE, hrefTo(path, Object.fromEntries(query)).slice(BASE.length));
}

/** The address that was kept, once. */
export function takeKeptPlace(): string | undefined {
  const kept = stored('session', KEPT_PLACE);
  store('session', KEPT_PLACE, undefined);
  return kept;
}

export type Query = Readonly<Record<string, string | undefined>>;

/** The address of a path, for `href`. Parameters without a value are left out. */
export function hrefTo(path: string, query: Query = {}): string {
  const given = Object.entries(query).filter((entry): entry is [string, string] => Boolean(entry[1]));
  const search = new URLSearchParams(given).toString();
  return BASE + path + (search === '' ? '' : `?${search}`);
}

/** Goes to a path and query below `/console`. */
export function navigate(to: string, { replace = false } = {}): void {
  if (replace) history.replaceState(null, '', BASE + to);
  else history.pushState(null, '', BASE + to);
  const before = current.value.path;
  current.value = here();
  if (before !== current.value.path) window.scrollTo(0, 0);
}

/** Changes the query in place: no entry of the browser's history for each letter of a search. */
export function setQuery(changes: Query): void {
  const { path, query } = current.peek();
  const next = { ...Object.fromEntries(query), ...changes };
  navigate(hrefTo(path, next).slice(BASE.length), { replace: true });
}

/** A parameter of the query; an empty text where it is missing. */
export function queryOf(name: string): string {
  return current.value.query.get(name) ?? '';
}

/** Those of the parameters that have a value. */
export function queriesOf<Name extends string>(...names: readonly Name[]): Partial<Record<Name, string>> {
  const given = names.map((name) => [name, queryOf(name)]).filter(([, value]) => value !== '');
  return Object.fromEntries(given) as Partial<Record<Name, string>>;
}

export type PathParams = Readonly<Record<string, string>>;

/** The parameters of a path such as `/orgs/:org/users/:user`; undefined if it is another path. */
export function matchPath(pattern: string, path: string): PathParams | undefined {
  const wanted = pattern.split('/');
  const found = path.replace(/\/$/, '').split('/');
  if (wanted.length !== found.length) return undefined;
  const params: Record<string, string> = {};
  for (const [index, part] of wanted.entries()) {
    const text = found[index] ?? '';
    if (part.startsWith(':')) params[part.slice(1)] = decoded(text);
    else if (part !== text) return undefined;
  }
  return params;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** A pattern with its parameters filled in. */
export function fillPath(pattern: string, params: PathParams): string {
  return pattern.replace(/:(\w+)/g, (_, name: string) => encodeURIComponent(params[name] ?? ''));
}
