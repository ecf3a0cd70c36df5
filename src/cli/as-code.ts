/** `quotagate export` and `apply`: orgs as a file, through the admin listener. */
import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { parse, stringify } from 'yaml';
import type { components, operations } from './admin-api.js';
import { type AdminClient, dataOf, type Target, withClient } from './admin-client.js';
import { type Outputs, withTarget } from './token.js';

type Difference = components['schemas']['Difference'];
type StatedOrg = operations['applyOrg']['requestBody']['content']['application/json'];
type OrgPage = operations['listOrgs']['responses'][200]['content']['application/json'];

interface ApplyOptions extends Target {
  readonly file: string;
  readonly dryRun?: boolean;
  readonly prune?: boolean;
  readonly reason?: string;
}

export function exportCommand({ out }: Outputs): Command {
  const command = new Command('export').description(
    'write orgs with their plans, groups, users and limits as YAML',
  );
  return withTarget(command)
    .option('--org <org...>', 'ids of the orgs (default: all that your token covers)')
    .action(async ({ org, ...target }: Target & { org?: string[] }) => {
      const orgs: Record<string, unknown> = {};
      await withClient(target, async (client) => {
        for (const id of org ?? (await openOrgs(client)))
          orgs[id] = dataOf(await client.GET('/v1/orgs/{org}/export', { params: { path: { org: id } } }));
      });
      out.write(stringify({ orgs }));
    });
}

async function openOrgs(client: AdminClient): Promise<string[]> {
  const ids: string[] = [];
  let cursor: string | null = '';
  while (cursor !== null) {
    const query = { pageSize: 500, ...(cursor === '' ? {} : { cursor }) };
    const page: OrgPage = dataOf(await client.GET('/v1/orgs', { params: { query } }));
    ids.push(...page.items.filter(({ state }) => state === 'open').map(({ id }) => id));
    cursor = page.cursor;
  }
  return ids;
}

export function applyCommand({ out, notes }: Outputs): Command {
  const command = new Command('apply').description(
    'make orgs what a file states; what it leaves out stays as it is',
  );
  return withTarget(command)
    .requiredOption('-f, --file <file>', 'YAML file with `orgs`, as export writes it')
    .option('--dry-run', 'show the differences, and change nothing')
    .option('--prune', 'delete groups, users and limits that the stated sections leave out')
    .option('--reason <text>', 'reason, for the audit log')
    .action(async ({ file, dryRun, prune, reason, ...target }: ApplyOptions) => {
      const orgs = Object.entries(orgsIn(readFileSync(file, 'utf8')));
      let count = 0;
      await withClient(target, async (client) => {
        const send = async (isDry: boolean, [org, stated]: [string, StatedOrg]) => {
          const params = { path: { org }, query: { dryRun: isDry, prune: prune === true } };
          const body = reason === undefined ? stated : { ...stated, reason };
          const answer = await client.POST('/v1/orgs/{org}/apply', { params, body });
          try {
            return dataOf(answer).differences;
          } catch (cause) {
            throw new Error(`org ${org}`, { cause });
          }
        };
        // Nothing changes while any org would be refused.
        for (const org of orgs) {
          const differences = await send(true, org);
          count += differences.length;
          for (const difference of differences) out.write(lineOf(org[0], difference));
        }
        if (dryRun !== true) for (const org of orgs) await send(false, org);
      });
      notes.write(
        `${count} ${count === 1 ? 'difference' : 'differences'}${dryRun === true ? ', nothing changed' : ', applied'}\n`,
      );
    });
}

function orgsIn(text: string): Record<string, StatedOrg> {
  const content: unknown = parse(text);
  const { orgs, ...others } = (content ?? {}) as Record<string, unknown>;
  const [other] = Object.keys(others);
  if (other !== undefined) throw new Error(`the file states ${other}; it may state orgs only`);
  if (typeof orgs !== 'object' || orgs === null || Array.isArray(orgs))
    throw new Error('the file states no orgs');
  for (const [id, org] of Object.entries(orgs))
    if (typeof org !== 'object' || org === null || Array.isArray(org))
      throw new Error(`orgs/${id} is not a map`);
  return orgs as Record<string, StatedOrg>;
}

const SIGNS: Readonly<Record<string, string>> = { add: '+', create: '+', delete: '-' };

/** `~ acme limit:usage:u:ann {"units":5} → {"units":8}` */
function lineOf(org: string, { action, subject, from, to }: Difference): string {
  const sign = SIGNS[action.split('.')[1] ?? ''] ?? '~';
  const values = [from, to].filter((value) => value !== null).map((value) => JSON.stringify(value));
  return `${sign} ${org} ${subject} ${values.join(' → ')}\n`;
}
