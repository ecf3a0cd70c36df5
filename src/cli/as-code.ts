/** `quotagate export` and `apply`: orgs as a file, through the admin listener. */
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
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
    'write orgs with their plans, groups, users, limits and notices as YAML',
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
    .option('--prune', 'delete groups, users, limits and webhooks that the stated sections leave out')
    .option('--reason <text>', 'reason, for the audit log')
    .action(async ({ file, dryRun = false, prune = false, reason, ...target }: ApplyOptions) => {
      const orgs = orgsIn(readFileSync(file, 'utf8'), dirname(file));
      const count = await withClient(target, async (client) => {
        const send = sending(client, { prune, reason });
        const differing = await judge(orgs, send, out);
        if (!dryRun) await applyEach(differing, send);
        return differing.reduce((sum, { differences }) => sum + differences, 0);
      });
      const done = dryRun ? 'nothing changed' : 'applied';
      notes.write(`${count} ${count === 1 ? 'difference' : 'differences'}, ${done}\n`);
    });
}

interface NamedOrg {
  readonly id: string;
  readonly stated: StatedOrg;
}

type SendOrg = (org: NamedOrg, dryRun: boolean) => Promise<readonly Difference[]>;

function sending(
  client: AdminClient,
  { prune, reason }: { readonly prune: boolean; readonly reason: string | undefined },
): SendOrg {
  return async ({ id: org, stated }, dryRun) => {
    const params = { path: { org }, query: { dryRun, prune } };
    const body = reason === undefined ? stated : { ...stated, reason };
    return dataOf(await client.POST('/v1/orgs/{org}/apply', { params, body })).differences;
  };
}

interface DifferingOrg extends NamedOrg {
  readonly differences: number;
}

/** Asks for the differences of every org: nothing changes while one of them would be refused. */
async function judge(
  orgs: readonly NamedOrg[],
  send: SendOrg,
  out: Outputs['out'],
): Promise<readonly DifferingOrg[]> {
  const differing: DifferingOrg[] = [];
  for (const org of orgs) {
    const differences = await send(org, true).catch((cause: unknown) => {
      throw new Error(`org ${org.id} is refused, nothing changed`, { cause });
    });
    for (const difference of differences) out.write(lineOf(org.id, difference));
    if (differences.length > 0) differing.push({ ...org, differences: differences.length });
  }
  return differing;
}

/** Each org is a step of its own: in a Redis Cluster, no step reaches two of them. */
async function applyEach(orgs: readonly NamedOrg[], send: SendOrg): Promise<void> {
  for (const [index, org] of orgs.entries())
    await send(org, false).catch((cause: unknown) => {
      const names = (some: readonly NamedOrg[]) => some.map(({ id }) => id).join(', ') || 'none';
      const [done, open] = [names(orgs.slice(0, index)), names(orgs.slice(index + 1))];
      const state = `applied before: ${done}; not yet: ${open}; run apply again to finish`;
      throw new Error(`org ${org.id} is not applied (${state})`, { cause });
    });
}

function orgsIn(text: string, folder: string): NamedOrg[] {
  const content: unknown = parse(text);
  const { orgs, ...others } = (content ?? {}) as Record<string, unknown>;
  const [other] = Object.keys(others);
  if (other !== undefined) throw new Error(`the file states ${other}; it may state orgs only`);
  if (!isMap(orgs)) throw new Error('the file states no orgs');
  return Object.entries(orgs).map(([id, org]) => {
    if (!isMap(org)) throw new Error(`orgs/${id} is not a map`);
    return { id, stated: withSecrets(org, { at: `orgs/${id}`, folder }) };
  });
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

interface PlaceOfOrg {
  readonly at: string;
  /** Of the file: paths in it start there. */
  readonly folder: string;
}

/** Reads the secrets of webhooks from their files: a file that is reviewed has none itself. */
function withSecrets(org: Record<string, unknown>, { at, folder }: PlaceOfOrg): StatedOrg {
  const { notices } = org;
  if (!isMap(notices) || !isMap(notices.webhooks)) return org as StatedOrg;
  const webhooks = Object.entries(notices.webhooks).map(([id, webhook]) => {
    if (!isMap(webhook)) return [id, webhook];
    const place = `${at}/notices/webhooks/${id}`;
    if ('secret' in webhook) throw new Error(`${place}/secret: state secretFile, the path of a file with it`);
    const { secretFile, ...stated } = webhook;
    if (secretFile === undefined) return [id, stated];
    if (typeof secretFile !== 'string') throw new Error(`${place}/secretFile is not a path`);
    return [id, { ...stated, secret: readFileSync(resolve(folder, secretFile), 'utf8').trim() }];
  });
  return { ...org, notices: { ...notices, webhooks: Object.fromEntries(webhooks) } } as StatedOrg;
}

const SIGNS: Readonly<Record<string, string>> = { add: '+', create: '+', delete: '-' };

/** `~ acme limit:usage:u:ann {"units":5} → {"units":8}` */
function lineOf(org: string, { action, subject, from, to }: Difference): string {
  const sign = SIGNS[action.split('.')[1] ?? ''] ?? '~';
  const values = [from, to].filter((value) => value !== null).map((value) => JSON.stringify(value));
  return `${sign} ${org} ${subject} ${values.join(' → ')}\n`;
}
