// `quotagate check` prints every mistake with file, place and cure, and fails; a config without mistakes passes.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { check } from '../../src/cli/check.js';
import { EXAMPLE } from './support.js';

const folder = mkdtempSync(join(tmpdir(), 'quotagate-check-'));
t.teardown(() => rmSync(folder, { recursive: true }));

function checked(text: string, environment: Record<string, string> = {}) {
  const file = join(folder, 'quotagate.yaml');
  writeFileSync(file, text);
  const printed: string[] = [];
  const code = check(file, environment, { write: (piece) => printed.push(piece) });
  return { code, text: printed.join('').replaceAll(file, 'quotagate.yaml') };
}

t.test('a config without mistakes', async (t) => {
  t.strictSame(checked(EXAMPLE), { code: 0, text: 'quotagate.yaml: ok, 4 routes, 3 quotas, 1 org\n' });
});

t.test('mistakes of the file and of the environment', async (t) => {
  const result = checked('quotas:\n  usage: { decimals: 9 }\nlogs: {}\n', { QUOTAGATE_SERVER_ADMIN: 'x' });
  t.strictSame(result, {
    code: 1,
    text: `quotagate.yaml:2:22 /quotas/usage/decimals: 9 is out of bounds – write a whole number from 0 to 6
quotagate.yaml:3:1 /logs: \`logs\` is not a setting – did you mean \`log\`?
QUOTAGATE_SERVER_ADMIN /server/admin: "x" is not an address to listen on – write host:port, such as 0.0.0.0:8080 or [::1]:8080
quotagate.yaml: 3 mistakes
`,
  });
});

t.test('a file that is not there', async (t) => {
  const printed: string[] = [];
  t.equal(check(join(folder, 'none.yaml'), {}, { write: (piece) => printed.push(piece) }), 1);
  t.match(printed.join(''), /none\.yaml:1:1: cannot be read: ENOENT.* – name a file that can be read\n/);
});
