/** Who is logged in, and what they may do. */
import { computed, type ReadonlySignal, signal } from '@preact/signals';
import { api, dataOf, type OperationId, type Schemas } from '../api/client.js';
import { ApiProblem } from '../api/problem.js';
import { forgetAll } from '../api/query.js';
import { endLoginQuestion } from './login.js';

export type Session = Schemas['Session'];
export type SessionOrg = Pick<Session['orgs'][number], 'id' | 'name'>;

/** undefined: not known yet; null: nobody is logged in. */
const current = signal<Session | null | undefined>(undefined);
export const session: ReadonlySignal<Session | null | undefined> = current;

const operations = computed(() => new Set(current.value?.operations));

/** Whether the token may call an operation. A button for an operation that it may not call is not shown. */
export function may(operation: OperationId): boolean {
  return operations.value.has(operation);
}

export type LoginWays = Schemas['Login'];

export function readLoginWays(): Promise<LoginWays> {
  return dataOf(api.GET('/v1/login'));
}

export async function readSession(): Promise<void> {
  try {
    current.value = await dataOf(api.GET('/v1/session'));
  } catch (error) {
    if (!(error instanceof ApiProblem) || error.status !== 401) throw error;
    current.value = null;
  }
}

export type Credential = { readonly token: string } | { readonly code: string };

export async function logIn(credential: Credential): Promise<void> {
  const before = current.peek();
  const now = await dataOf(api.POST('/v1/session', { body: credential }));
  const isOther = before != null && before.who !== now.who;
  if (isOther) forgetAll();
  current.value = now;
  endLoginQuestion(isOther ? 'other' : 'same');
}

export async function logOut(): Promise<void> {
  await api.DELETE('/v1/session').catch(() => undefined);
  endLoginQuestion('other');
  forgetAll();
  current.value = null;
}
