// Code, status, cause and remedy are in one table, and every problem body follows it.
import t from 'tap';
import {
  CATALOGUE,
  type CatalogueEntry,
  type ErrorCode,
  ProblemError,
  problemBody,
  QUOTA_EXCEEDED,
  REDUCED_CAPACITY,
} from '../../src/errors/catalogue.js';

const ENTRIES = Object.entries<CatalogueEntry>(CATALOGUE);

t.test('every entry is complete', async (t) => {
  for (const [code, { status, title, cause, remedy, type }] of ENTRIES) {
    t.match(code, /^[a-z]+(-[a-z]+)*$/);
    t.ok(status >= 400 && status < 600, code);
    t.match(title, /^[A-Z].*[^.]$/, code);
    t.match(cause, /^[A-Z].*\.$/, code);
    t.match(remedy, /^[A-Z].*\.$/, code);
    t.ok([undefined, QUOTA_EXCEEDED, REDUCED_CAPACITY].includes(type), code);
    t.ok(type !== QUOTA_EXCEEDED || status === 429, code);
    t.ok(type !== REDUCED_CAPACITY || status === 503, code);
  }
});

t.test('a problem body says what the catalogue says, and its own', async (t) => {
  t.same(problemBody(new ProblemError('no-plan', 'acme has no plan for ai.', { members: { quota: 'ai' } })), {
    type: 'about:blank',
    title: CATALOGUE['no-plan'].title,
    status: 403,
    detail: 'acme has no plan for ai.',
    code: 'no-plan',
    quota: 'ai',
  });
  t.match(problemBody(new ProblemError('store-lost', 'x')), { type: REDUCED_CAPACITY, status: 503 });
  const cause = new Error('below');
  const error = new ProblemError('internal', 'x', { cause });
  t.equal(error.cause, cause);
  for (const [code, { status }] of ENTRIES) t.equal(new ProblemError(code as ErrorCode, '').status, status);
});
