/** A client of the admin API, with the types of its OpenAPI document. */
import { readFileSync } from 'node:fs';
import createClient, { type Client } from 'openapi-fetch';
import { Agent, Request, fetch as send } from 'undici';
import type { paths } from './admin-api.js';

/** The admin API and the credential for it. */
export interface Target {
  readonly admin: string;
  readonly tokenFile: string;
  readonly caFile?: string;
}

export type AdminClient = Client<paths>;

const TIMEOUT_MS = 30_000;

/** Calls `work` with a client, and closes its connections afterwards. */
export async function withClient<Result>(
  target: Target,
  work: (client: AdminClient) => Promise<Result>,
): Promise<Result> {
  const token = readFileSync(target.tokenFile, 'utf8').trim();
  const connect = target.caFile === undefined ? {} : { connect: { ca: readFileSync(target.caFile, 'utf8') } };
  const dispatcher = new Agent({ ...connect, headersTimeout: TIMEOUT_MS, bodyTimeout: TIMEOUT_MS });
  try {
    return await work(clientOf(target.admin, token, dispatcher));
  } finally {
    await dispatcher.destroy();
  }
}

function clientOf(admin: string, token: string, dispatcher: Agent): AdminClient {
  const baseUrl = admin.replace(/\/+$/, '');
  return createClient<paths>({
    baseUrl,
    headers: { authorization: `Bearer ${token}` },
    Request: Request as never,
    // Redirects are not followed, so the token reaches no other server.
    fetch: (request) =>
      send(request as never, { dispatcher, redirect: 'manual' }).catch((cause: unknown) => {
        throw new Error(`cannot reach the admin API at ${admin}`, { cause });
      }) as never,
  });
}

interface Answer<Data> {
  readonly data?: Data;
  readonly error?: unknown;
  readonly response: { readonly status: number };
}

/** The data of a response; throws the message of a problem document, or the status of any other response. */
export function dataOf<Data>({ data, error, response: { status } }: Answer<Data>): Data {
  if (status >= 200 && status <= 299) return data as Data;
  const { title, detail, code } = (error ?? {}) as Readonly<Record<string, unknown>>;
  if (code !== undefined) throw new Error(`${title}: ${detail} (${code})`);
  throw new Error(`the admin API answered with status ${status}`);
}
