// The table of settings in the README is the schema's.
import { readFileSync } from 'node:fs';
import t from 'tap';
import { settingsTable, withSettings } from '../../scripts/docs/settings.js';

const README = new URL('../../../src/config/README.md', import.meta.url);

t.test('the README holds the generated table', async (t) => {
  const text = readFileSync(README, 'utf8');
  t.equal(text, withSettings(text), 'after a change of the schema, update it as the README says');
});

t.test('every setting has a row, with its default and bounds', async (t) => {
  const table = settingsTable().replace(/ +/g, ' ');
  t.match(table, '| `store.deadlineMs` | whole number | `50` | a whole number from 1 to 10000 |');
  t.match(table, '| `routes[].identity` | word | `required` | `required`, `none` |');
  t.match(table, '| `orgs.<org>.limits[].percent` | amount | by choice |');
  for (const line of table.trimEnd().split('\n').slice(2)) {
    const cells = line.slice(2, -2).split(' | ');
    t.equal(cells.length, 5, line);
    t.notOk(cells.includes(''), line);
  }
});
