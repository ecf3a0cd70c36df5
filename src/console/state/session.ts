/** Who is logged in, and what they may do. */
import { computed, type ReadonlySignal, signal } from '@preact/signals';
import type { OperationId } from '../api/client.js';
import { ApiProblem } from '../api/problem.js';
import { forgetAll } from '../api/query.js';
import { endLoginQuestion } from './login.js';

export interface SessionOrg {
  readonly id: string;
  readonly name: string;
}

export interface Session {
  readonly who: string;
  readonly role: string;
  readonly allOrgs: boolean;
  readonly orgs: readonly SessionOrg[];
  /** Whether the token reaches further orgs. */
  readonly moreOrgs: boolean;
  readonly operations: readonly string[];
}

/** undefined: not known yet; null: nobody is logged in. */
const current = signal<Session | null | undefined>(undefined);
export const session: ReadonlySignal<Session | null | undefined> = current;

const operations = computed(() => new Set(current.value?.operations));

/** Whether the token may call an operation. A button for an operation that it may not call is not shown. */
export function may(operation: OperationId): boolean {
  return operations.value.has(operation);
}

export interface LoginWays {
  readonly token: boolean;
  readonly oidc: null | { readonly url: string };
  /** Why no login is possible over this connection. */
  readonly refused: string | null;
}

export function readLoginWays(): Promise<LoginWays> {
  return call('GET', '/v1/login');
}

export async function readSession(): Promise<void> {
  try {
    current.value = await call<Session>('GET', '/v1/session');
  } catch (error) {
    if (!(error instanceof ApiProblem) || error.status !== 401) throw error;
    current.value = null;
  }
}

export type Credential = { readonly token: string } | { readonly code: string };

export async function logIn(credential: Credential): Promise<void> {
  const before = current.peek();
  const now = await call<Session>('POST', '/v1/session', credential);
  const isOther = before != null && before.who !== now.who;
  if (isOther) forgetAll();
  current.value = now;
  endLoginQuestion(isOther ? 'other' : 'same');
}

export async function logOut(): Promise<void> {
  await call('DELETE', '/v1/session').catch(() => undefined);
  endLoginQuestion('other');
  forgetAll();
  current.value = null;
}

async function call<Data>(method: string, path: string, body?: unknown): Promise<Data> {
  const headers = { 'QuotaGate-Console': '1', 'content-type': 'application/json' };
  const sent =
    body === undefined ? { headers: { 'QuotaGate-Console': '1' } } : { headers, body: JSON.stringify(body) };
  const response = await fetch(path, { method, ...sent }).catch(() => {
    throw new ApiProblem(0, { code: 'unreachable' });
  });
  const answer: unknown = await response.json().catch(() => ({}));
  if (response.ok) return answer as Data;
  throw new ApiProblem(response.status, answer as object);
}
