/** The admin API, with the types of its OpenAPI document. */
import createClient from 'openapi-fetch';
import type { components, operations, paths } from '../../cli/admin-api.js';
import { askForLogin } from '../state/login.js';
import { ApiProblem } from './problem.js';

export type Schemas = components['schemas'];
export type OperationId = keyof operations;

/** The session cookie counts only beside this header. `poll`: the request does not keep an idle session alive. */
const HEADER = 'QuotaGate-Console';
export const BACKGROUND = { [HEADER]: 'poll' };

const SESSION_PATH = /^\/v1\/(session|login)$/;

export const api = createClient<paths>({ baseUrl: '', fetch: send });

/** Sends a request. Where the session has ended, it asks for a login over the page, and repeats the request. */
async function send(request: Request): Promise<Response> {
  if (!request.headers.has(HEADER)) request.headers.set(HEADER, '1');
  const again = request.clone();
  const response = await answerTo(request);
  const isOfSession = SESSION_PATH.test(new URL(request.url).pathname);
  if (response.status !== 401 || isOfSession) return response;
  await askForLogin();
  return answerTo(again);
}

async function answerTo(request: Request): Promise<Response> {
  try {
    return await fetch(request);
  } catch (error) {
    if (request.signal.aborted) throw error;
    throw new ApiProblem(0, { code: 'unreachable' });
  }
}

interface Answer<Data> {
  readonly data?: Data;
  readonly error?: unknown;
  readonly response: Response;
}

/** The body of a response; throws an `ApiProblem` for any status but 2xx. */
export async function dataOf<Data>(answer: Promise<Answer<Data>>): Promise<Data> {
  const { data, error, response } = await answer;
  if (response.ok) return data as Data;
  throw new ApiProblem(response.status, typeof error === 'object' ? { ...error } : {});
}
