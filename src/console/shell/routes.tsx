/** Shows the page of the address, inside the shell of its org. */
import type { ComponentType } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { api } from '../api/client.js';
import { useLive } from '../api/live.js';
import { useQuery } from '../api/query.js';
import { PAGES, type Page } from '../pages.js';
import { fillPath, matchPath, navigate, type PathParams, place, takeKeptPlace } from '../router.js';
import { OrgProvider } from '../state/org.js';
import { session } from '../state/session.js';
import { store, stored } from '../state/storage.js';
import { Loaded } from '../ui/states.js';
import { NotFound } from './not-found.js';
import { Shell } from './shell.js';

interface Match {
  readonly page: Page;
  readonly params: PathParams;
}

function matchOf(path: string): Match | undefined {
  for (const page of PAGES) {
    const params = matchPath(page.path, path);
    if (params !== undefined) return { page, params };
  }
  return undefined;
}

/** The org last shown, else the first one of the token. */
function defaultOrg(): string | undefined {
  const orgs = session.value?.orgs ?? [];
  const kept = stored('local', 'org');
  return orgs.find(({ id }) => id === kept)?.id ?? orgs[0]?.id;
}

export function Routes() {
  const { path } = place.value;
  const match = matchOf(path);
  const org = match?.params.org ?? defaultOrg();
  const isStart = path === '/';
  useEffect(() => {
    if (!isStart || org === undefined) return;
    navigate(takeKeptPlace() ?? fillPath('/orgs/:org/overview', { org }), { replace: true });
  }, [isStart, org]);
  if (org === undefined) return <NotFound reason="no-org" />;
  if (isStart) return null;
  return <OrgPage key={org} org={org} match={match} />;
}

/** The export of the journal fails and recovers without a change that the API tells. */
const EXPORTS_EVERY_MS = 30_000;

function OrgPage({ org, match }: { readonly org: string; readonly match: Match | undefined }) {
  useLive(org);
  useEffect(() => store('local', 'org', org), [org]);
  const overview = useQuery({
    key: `overview ${org}`,
    kinds: ['directory', 'consumption'],
    everyMs: EXPORTS_EVERY_MS,
    read: (options) => api.GET('/v1/orgs/{org}/overview', { params: { path: { org } }, ...options }),
  });
  return (
    <Shell org={org} page={match?.page.id}>
      {overview.problem?.code === 'not-found' ? (
        <NotFound reason="org" />
      ) : (
        <Loaded query={overview} lines={8} page>
          {(data) => (
            <OrgProvider value={data}>
              {match === undefined ? (
                <NotFound reason="page" />
              ) : (
                <LoadedPage key={match.page.id + JSON.stringify(match.params)} match={match} />
              )}
            </OrgProvider>
          )}
        </Loaded>
      )}
    </Shell>
  );
}

/** The code of a page is loaded when it is first shown. */
function LoadedPage({ match: { page, params } }: { readonly match: Match }) {
  const [Content, setContent] = useState<ComponentType<{ params: PathParams }> | undefined>(undefined);
  const [failed, setFailed] = useState<unknown>(undefined);
  useEffect(() => {
    page.load().then((module) => setContent(() => module.default), setFailed);
  }, [page]);
  if (failed !== undefined) return <NotFound reason="version" />;
  return Content === undefined ? null : <Content params={params} />;
}
