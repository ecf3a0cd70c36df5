// Mistakes in the targets of the journal's export, and what only the disk knows.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { secretFindings } from '../../src/app/secrets.js';
import { loadConfig } from '../../src/config/load.js';
import { linesOf, mistakesOf } from './support.js';

t.test('all of them are reported', async (t) => {
  const text = `journal:
  keepMiB: 0
  source: "a b"
  exports:
    bills: { url: "ftp://bills", timeoutMs: 1 }
    both: { url: "https://bills.example.com", folder: /data }
    "a b": { folder: /data, maxMiB: 0 }
`;
  const lines = linesOf(mistakesOf(text));
  t.match(lines, [
    '2:12 /journal/keepMiB: 0 is out of bounds – write a whole number from 1 to 102400',
    /^3:11 \/journal\/source: "a b" is not a valid name/,
    '5:19 /journal/exports/bills/url: "ftp://bills" is not a web address – write https://host/path',
    /timeoutMs: 1 is out of bounds/,
    /`folder` cannot be combined with `url`|`url` cannot be combined with `folder`/,
    /^7:5 \/journal\/exports\/a b: /,
    /maxMiB: 0 is out of bounds/,
  ]);
  t.equal(lines.length, 7);
});

t.test('a setting by its former name is refused with the present one', async (t) => {
  t.same(linesOf(mistakesOf('journal:\n  keepEntries: 100000\n')), [
    '2:3 /journal/keepEntries: `keepEntries` has been replaced by `keepMiB` – write `keepMiB`: a whole number from 1 to 102400',
  ]);
});

t.test('a folder or a file that cannot be used', async (t) => {
  const folder = t.testdir({ plain: '', bearer: 'two\nlines', secret: 'whsec_***' });
  const file = (name: string): string => JSON.stringify(join(folder, name));
  writeFileSync(join(folder, 'ok'), `whsec_${Buffer.from('a good secret').toString('base64')}`);
  const config = loadConfig(
    `journal:
  exports:
    files: { folder: ${file('plain/journal')} }
    bills: { url: "https://bills.example.com", bearerFile: ${file('bearer')}, secretFile: ${file('secret')}, caFile: ${file('none')} }
    good: { url: "https://bills.example.com", secretFile: ${file('ok')} }
`,
    {},
  );
  const found = [...secretFindings(config, {})].filter(({ path }) => path[0] === 'journal');
  t.same(
    found.map(({ path }) => path.slice(2).join('.')),
    ['files.folder', 'bills.bearerFile', 'bills.secretFile', 'bills.caFile'],
  );
  t.match(found[2]?.message, /whsec_<base64>/);
  t.notMatch(found[2]?.message, /\*\*\*/, 'secrets are not shown');
});
