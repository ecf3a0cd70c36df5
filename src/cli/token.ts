/** `quotagate token create|list|revoke`: admin tokens, through the admin listener. */
import { readFileSync } from 'node:fs';
import { Command, InvalidArgumentError, Option } from 'commander';
import { Agent, type Dispatcher, request } from 'undici';
import { ROLES } from '../admin/index.js';

export interface Outputs {
  readonly out: { write(text: string): unknown };
  /** For people, not for scripts. */
  readonly notes: { write(text: string): unknown };
}

/** The admin API and the credential for it. */
interface Target {
  readonly admin: string;
  readonly tokenFile: string;
  readonly caFile?: string;
}

interface Token {
  readonly id: string;
  readonly name: string;
  readonly role: string;
  readonly orgs: 'all' | readonly string[];
  readonly createdBy: string;
  readonly expiresAt: string | null;
  readonly expired: boolean;
}

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
      const body = { name, role, orgs, expiresAt: expires, reason };
      const made = (await call(target, { method: 'POST', path: '/v1/tokens', body })) as Token & {
        token: string;
      };
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
      const query = reason === undefined ? '' : `?reason=${encodeURIComponent(reason)}`;
      await call(target, { method: 'DELETE', path: `/v1/tokens/${encodeURIComponent(id)}${query}` });
      notes.write(`token ${id} revoked\n`);
    });

  const command = new Command('token').description('create, list and revoke admin tokens');
  return command.addCommand(create).addCommand(list).addCommand(revoke);
}

function withTarget(command: Command): Command {
  return command
    .option('--admin <url>', 'URL of the admin API', 'http://127.0.0.1:9080')
    .requiredOption('--token-file <file>', 'file with an admin token')
    .option('--ca-file <file>', 'PEM file with the certificate authorities to trust for https');
}

interface CreateOptions {
  readonly name: string;
  readonly role: string;
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
  const tokens: Token[] = [];
  let cursor: string | null = '';
  while (cursor !== null) {
    const query = cursor === '' ? '' : `&cursor=${cursor}`;
    const page = (await call(target, { method: 'GET', path: `/v1/tokens?pageSize=500${query}` })) as {
      items: Token[];
      cursor: string | null;
    };
    tokens.push(...page.items);
    cursor = page.cursor;
  }
  return tokens;
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

const TIMEOUT_MS = 30_000;

interface Job {
  readonly method: Dispatcher.HttpMethod;
  readonly path: string;
  readonly body?: unknown;
}

/** Returns the JSON of the response. Redirects are not followed, so the token reaches no other server. */
async function call(target: Target, { method, path, body }: Job): Promise<unknown> {
  const token = readFileSync(target.tokenFile, 'utf8').trim();
  const connect = target.caFile === undefined ? {} : { connect: { ca: readFileSync(target.caFile, 'utf8') } };
  const agent = new Agent({ ...connect, headersTimeout: TIMEOUT_MS, bodyTimeout: TIMEOUT_MS });
  try {
    const answer = await request(`${target.admin.replace(/\/+$/, '')}${path}`, {
      method,
      dispatcher: agent,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      body: body === undefined ? null : JSON.stringify(body),
    }).catch((cause: unknown) => {
      throw new Error(`cannot reach the admin API at ${target.admin}`, { cause });
    });
    const text = await answer.body.text();
    if (answer.statusCode < 200 || answer.statusCode > 299)
      throw new Error(refusalIn(answer.statusCode, text));
    return text === '' ? undefined : JSON.parse(text);
  } finally {
    await agent.destroy();
  }
}

/** The message of a problem document, or the status of any other response. */
function refusalIn(status: number, text: string): string {
  try {
    const { title, detail, code } = JSON.parse(text) as Record<string, unknown>;
    if (code !== undefined) return `${title}: ${detail} (${code})`;
  } catch {
    // Not a problem document.
  }
  return `the admin API answered with status ${status}`;
}
