// Every rule that a test cites is in docs/rules.md, and the rules are numbered without gaps.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { EXPECTED } from '../ledger/histories/expected.js';
import { MUTANTS } from '../mutants/table.js';
import { ROOT } from './pages.js';

const text = readFileSync(join(ROOT, 'docs/rules.md'), 'utf8');
const numbers = [...text.matchAll(/^(\d+)\. \*\*/gm)].map(([, number]) => Number(number));

t.test('the rules are numbered without gaps', async (t) => {
  t.ok(numbers.length > 0);
  t.same(
    numbers,
    numbers.map((_, index) => index + 1),
  );
});

t.test('every cited rule exists', async (t) => {
  const cited = [...MUTANTS.map(({ rule }) => rule), ...EXPECTED].flatMap((one) => {
    const number = /^rule (\d+)/.exec(one)?.[1];
    return number === undefined ? [] : [Number(number)];
  });
  t.ok(cited.length > 0);
  t.same(
    [...new Set(cited)].filter((number) => !numbers.includes(number)),
    [],
  );
});
