/** The question for a login over the page, when the session has ended: what is typed stays, and waiting requests go on. */
import { signal } from '@preact/signals';
import { ApiProblem } from '../api/problem.js';

interface Waiting {
  readonly resolve: () => void;
  readonly reject: (problem: ApiProblem) => void;
}

let waiting: Waiting[] = [];

export const loginAsked = signal(false);

/** Resolves after the login; rejects if it became another person, who must not repeat the request. */
export function askForLogin(): Promise<void> {
  loginAsked.value = true;
  return new Promise((resolve, reject) => waiting.push({ resolve, reject }));
}

export function endLoginQuestion(outcome: 'same' | 'other'): void {
  const all = waiting;
  waiting = [];
  loginAsked.value = false;
  for (const { resolve, reject } of all) {
    if (outcome === 'same') resolve();
    else reject(new ApiProblem(401, { code: 'session-ended' }));
  }
}
