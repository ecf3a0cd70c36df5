// Every row of docs/reference-pages.md names a test of the API that exists, by its file and title, and one of the console.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { NUMBERS } from '../console/reference/numbers.js';
import { ROOT } from './pages.js';

const text = readFileSync(join(ROOT, 'docs/reference-pages.md'), 'utf8');
const rows = [...text.matchAll(/^\| ([ZC]\d+) \|.*\| `([a-z0-9/-]+)`: (.+) \| (.+) \|$/gm)];

t.test('every number has one row, in order', async (t) => {
  const numbers = rows.map(([, number = '']) => number);
  t.equal(numbers.length, 16 + 24, 'Z1 to Z16 and C1 to C24');
  const order = (number: string): number => (number.startsWith('Z') ? 0 : 100) + Number(number.slice(1));
  t.same(
    numbers,
    [...new Set(numbers)].sort((a, b) => order(a) - order(b)),
  );
  t.equal(
    rows.length,
    text.split('\n').filter((line) => /^\| [ZC]\d/.test(line)).length,
    'each row names a test',
  );
});

t.test('every number has a test of the console', async (t) => {
  t.same(
    rows.map(([, number, , , shown]) => `${number} ${shown}`),
    NUMBERS.map(({ number, page, title }) => `${number} ${page}: ${title}`),
  );
});

for (const [, number = '', file = '', title = ''] of rows)
  t.test(`${number}: ${file}`, async (t) => {
    const path = join(ROOT, `test/${file}.test.ts`);
    t.ok(existsSync(path), path);
    const titles = [...readFileSync(path, 'utf8').matchAll(/^\w[\w.]*\(\s*'([^']+)'/gm)].map(
      ([, name]) => name,
    );
    t.ok(titles.includes(title), title);
  });
