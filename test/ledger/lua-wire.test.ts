// The letters and numbers between TypeScript and Lua are the same in the code and in lua/README.md.
import { readFileSync } from 'node:fs';
import t from 'tap';
import {
  CODE,
  DENIED,
  DONE,
  MARK,
  namesByNumber,
  OPERATION,
  OUTCOME,
  RESULT,
  SCOPE,
} from '../../src/ledger/redis/wire.js';

const README = readFileSync(new URL('../../../lua/README.md', import.meta.url), 'utf8');

const TABLES = {
  operation: OPERATION,
  'mark in an argument': MARK,
  'code of the reply': CODE,
  'kind of a result': RESULT,
  'reason of `denied`': DENIED,
  'status of `done`': DONE,
  'outcome of `adjusted`': OUTCOME,
  scope: SCOPE,
};

t.test('lua/README.md has the table of wire.ts', async (t) => {
  const [, section = ''] = README.split('## The wire of apply\n');
  const [table = ''] = section.split('\n## ');
  const rows = [...table.matchAll(/^\| (.+?) \| (.+) \|$/gm)].slice(1).map(([, group = '', entries = '']) => {
    const pairs = [...entries.matchAll(/`([\w-]+)` = `(.)`/g)].map(([, name = '', sent = '']) => [
      name,
      sent,
    ]);
    return [group, Object.fromEntries(pairs)];
  });
  const due = Object.entries(TABLES).map(([group, names]) => [
    group,
    Object.fromEntries(Object.entries(names).map(([name, sent]) => [name, String(sent)])),
  ]);
  t.strictSame(Object.fromEntries(rows), Object.fromEntries(due));
});

t.test('no two names of a table are the same on the wire', async (t) => {
  for (const [group, names] of Object.entries(TABLES))
    t.equal(new Set(Object.values(names)).size, Object.keys(names).length, group);
  t.strictSame(namesByNumber(SCOPE), [undefined, 'user', 'group', 'org']);
});
