/** `quotagate token create|list|revoke`: admin tokens, through the admin listener. */
import { Command, InvalidArgumentError, Option } from 'commander';
import { ROLES } from '../admin/index.js';
import type { components, operations } from './admin-api.js';
import { dataOf, type Target, withClient } from './admin-client.js';

export interface Outputs {
  readonly out: { write(text: string): unknown };
  /** For people, not for scripts. */
  readonly notes: { write(text: string): unknown };
}

type Token = components['schemas']['Token'];
type TokenPage = operations['listTokens']['responses'][200]['content']['application/json'];

export function tokenCommand({ out, notes }: Outputs): Command {
  const create = withTarget(new Command('create').description('create a token; its text is printed once'))
    .requiredOption('--name <name>', 'name of the token in the audit log')
    .addOption(new Option('--role <role>', 'role of the token').choices([...ROLES]).makeOptionMandatory())
    .requiredOption('--orgs <orgs>', 'org ids, separated by commas, or all', orgsIn)
    .option(
      '--expires <when>',
      'expiry: an instant such as 2027-01-31T12:00:00Z, or 12h, 90d (default: never)',
      expiryIn,
    )
    .option('--reason <text>', 'reason, for the audit log')
    .action(async ({ name, role, orgs, expires, reason, ...target }: Target & CreateOptions) => {
      const stated = { ...(expires && { expiresAt: expires }), ...(reason && { reason }) };
      const made = await withClient(target, async (client) =>
        dataOf(
          await client.POST('/v1/tokens', {
            body: { name, role, orgs: orgs === 'all' ? orgs : [...orgs], ...stated },
          }),
        ),
      );
      out.write(`${made.token}\n`);
      notes.write(`token ${made.id}: ${role}, orgs ${orgsOf(made)}, expires ${made.expiresAt ?? 'never'}\n`);
    });

  const list = withTarget(new Command('list').description('list the tokens that your token may see'))
    .option('--json', 'as JSON')
    .action(async ({ json, ...target }: Target & { json?: boolean }) => {
      const tokens = await allTokens(target);
      out.write(json === true ? `${JSON.stringify(tokens, null, 2)}\n` : table(tokens));
    });

  const revoke = withTarget(new Command('revoke').description('revoke a token; its next request is refused'))
    .argument('<id>', 'id of the token, as shown by list')
    .option('--reason <text>', 'reason, for the audit log')
    .action(async (id: string, { reason, ...target }: Target & { reason?: string }) => {
      const params = { path: { token: id }, query: reason === undefined ? {} : { reason } };
      await withClient(target, async (client) =>
        dataOf(await client.DELETE('/v1/tokens/{token}', { params })),
      );
      notes.write(`token ${id} revoked\n`);
    });

  const command = new Command('token').description('create, list and revoke admin tokens');
  return command.addCommand(create).addCommand(list).addCommand(revoke);
}

export function withTarget(command: Command): Command {
  return command
    .option('--admin <url>', 'URL of the admin API', 'http://127.0.0.1:9080')
    .requiredOption('--token-file <file>', 'file with an admin token')
    .option('--ca-file <file>', 'PEM file with the certificate authorities to trust for https');
}

interface CreateOptions {
  readonly name: string;
  readonly role: Token['role'];
  readonly orgs: 'all' | readonly string[];
  readonly expires?: string;
  readonly reason?: string;
}

function orgsIn(text: string): 'all' | string[] {
  return text === 'all' ? 'all' : text.split(',').map((org) => org.trim());
}

const HOUR_MS = 3_600_000;
const UNITS_MS: Readonly<Record<string, number>> = { h: HOUR_MS, d: 24 * HOUR_MS };

function expiryIn(text: string): string {
  const [, count, unit = ''] = /^(\d{1,6})([hd])$/.exec(text) ?? [];
  const unitMs = UNITS_MS[unit];
  if (unitMs !== undefined) return new Date(Date.now() + Number(count) * unitMs).toISOString();
  if (Number.isNaN(Date.parse(text)))
    throw new InvalidArgumentError('Expected an instant such as 2027-01-31T12:00:00Z, or 12h, 90d.');
  return text;
}

async function allTokens(target: Target): Promise<Token[]> {
  return withClient(target, async (client) => {
    const tokens: Token[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const query = { pageSize: 500, ...(cursor === '' ? {} : { cursor }) };
      const page: TokenPage = dataOf(await client.GET('/v1/tokens', { params: { query } }));
      tokens.push(...page.items);
      cursor = page.cursor;
    }
    return tokens;
  });
}

const HEAD = ['ID', 'NAME', 'ROLE', 'ORGS', 'EXPIRES', 'CREATED BY'];

function table(tokens: readonly Token[]): string {
  const rows = tokens.map((token) => {
    const expires = token.expired ? 'expired' : (token.expiresAt ?? 'never');
    return [token.id, token.name, token.role, orgsOf(token), expires, token.createdBy];
  });
  const widths = HEAD.map((head, column) =>
    Math.max(head.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (row: readonly string[]): string =>
    `${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')}`.trimEnd();
  return `${[HEAD, ...rows].map(line).join('\n')}\n`;
}

function orgsOf({ orgs }: Token): string {
  return orgs === 'all' ? 'all' : orgs.join(',');
}
