/** A group as pages show it. */
import { api, dataOf, type Schemas } from '../../api/client.js';

// The types of the client leave out members that are always null.
export type Group = Schemas['Group'];

export async function readGroup(org: string, group: string): Promise<Group> {
  const path = { org, group };
  return (await dataOf(api.GET('/v1/orgs/{org}/groups/{group}', { params: { path } }))) as Group;
}
