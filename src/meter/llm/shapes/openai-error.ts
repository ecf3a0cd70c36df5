/** Errors in OpenAI's format. */
import type { Problem } from '../../../errors/catalogue.js';
import type { Json } from '../usage.js';

const TYPES: Readonly<Record<number, string>> = {
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  408: 'timeout_error',
  429: 'rate_limit_error',
};

export function openaiError(problem: Problem, status: number): Json {
  const { code, message } = problem;
  if (code === 'quota-exceeded') {
    return { error: { message, type: 'insufficient_quota', param: null, code: 'insufficient_quota' } };
  }
  const known = TYPES[status] ?? (status >= 500 ? 'server_error' : 'invalid_request_error');
  return { error: { message, type: known, param: null, code: code.replaceAll('-', '_') } };
}

/** Clients throw at the first event with an `error`; other clients need the `[DONE]`. */
export function openaiClosing(problem: Problem): string {
  return `data: ${JSON.stringify(openaiError(problem, 429))}\n\ndata: [DONE]\n\n`;
}
