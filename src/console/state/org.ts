/** The org that the page shows. */
import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { Schemas } from '../api/client.js';

export type Overview = Schemas['Overview'];
export type QuotaOverview = Overview['quotas'][number];

const OrgContext = createContext<Overview | undefined>(undefined);

export const OrgProvider = OrgContext.Provider;

/** The org of the page, with its quotas and its time zone. Pages are shown only when it is known. */
export function useOrg(): Overview {
  const org = useContext(OrgContext);
  if (org === undefined) throw new Error('a page of an org is shown outside of one');
  return org;
}

export function useZone(): string {
  return useOrg().cycle.timeZone;
}
