/** `quotagate token create|list|revoke`: admin tokens, through the admin listener. */
import { readFileSync } from 'node:fs';
import { Command, InvalidArgumentError, Option } from 'commander';
import { Agent, type Dispatcher, request } from 'undici';
import { ROLES } from '../admin/index.js';

export interface Outputs {
  readonly out: { write(text: string): unknown };
  /** For what a person wants to know and a script does not. */
  readonly notes: { write(text: string): unknown };
}

/** Where the admin API is, and who asks. */
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
  const create = withTarget(new Command('create').description('make a token; its text is printed once'))
    .requiredOption('--name <name>', 'what the audit log calls it')
    .addOption(new Option('--role <role>', 'what it may do').choices([...ROLES]).makeOptionMandatory())
    .requiredOption('--orgs <orgs>', 'org ids, separated by commas, or all', orgsIn)
    .option(
      '--expires <when>',
      'an instant such as 2027-01-31T12:00:00Z, or 12h, 90d; left out: never',
      expiryIn,
    )
    .option('--reason <text>', 'for the audit log')
    .action(async ({ name, role, orgs, expires, reason, ...target }: Target & CreateOptions) => {
      const body = { name, role, orgs, expiresAt: expires, reason };
      const made = (await call(target, { method: 'POST', path: '/v1/tokens', body })) as Token & {
        token: string;
      };
      out.write(`${made.token}\n`);
      notes.write(`token ${made.id}: ${role}, orgs ${orgsOf(made)}, expires ${made.expiresAt ?? 'never'}\n`);
    });

  const list = withTarget(new Command('list').description('list the tokens that this token may see'))
    .option('--json', 'as JSON')
    .action(async ({ json, ...target }: Target & { json?: boolean }) => {
      const tokens = await allTokens(target);
      out.write(json === true ? `${JSON.stringify(tokens, null, 2)}\n` : table(tokens));
    });

  const revoke = withTarget(new Command('revoke').description('end a token with the next request'))
    .argument('<id>', 'its id, as list tells it')
    .option('--reason <text>', 'for the audit log')
    .action(async (id: string, { reason, ...target }: Target & { reason?: string }) => {
      const query = reason === undefined ? '' : `?reason=${encodeURIComponent(reason)}`;
      await call(target, { method: 'DELETE', path: `/v1/tokens/${encodeURIComponent(id)}${query}` });
      notes.write(`token ${id} revoked\n`);
    });

  const command = new Command('token').description('make, list and revoke admin tokens');
  return command.addCommand(create).addCommand(list).addCommand(revoke);
}

function withTarget(command: Command): Command {
  return command
    .option('--admin <url>', 'the admin API', 'http://127.0.0.1:9080')
    .requiredOption('--token-file <file>', 'file with an admin token')
    .option('--ca-file <file>', 'PEM of the authorities to trust, for https with one of your own');
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
  if (Number.isNaN(Date.parse(text))) throw new InvalidArgumentError('Neither an instant nor hours or days.');
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

/** The answer's JSON. Redirects are not followed: the token goes where it was told to, and nowhere else. */
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
      throw new Error(`the admin API at ${target.admin} cannot be reached`, { cause });
    });
    const text = await answer.body.text();
    if (answer.statusCode < 200 || answer.statusCode > 299)
      throw new Error(refusalIn(answer.statusCode, text));
    return text === '' ? undefined : JSON.parse(text);
  } finally {
    await agent.destroy();
  }
}

/** What a problem of the catalogue says, or the status of what was none. */
function refusalIn(status: number, text: string): string {
  try {
    const { title, detail, code } = JSON.parse(text) as Record<string, unknown>;
    if (code !== undefined) return `${title}: ${detail} (${code})`;
  } catch {
    // Told below.
  }
  return `the admin API answered with status ${status}`;
}
