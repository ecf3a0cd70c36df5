// What a release is: the files of the package, one version everywhere, the commit and tag of the release script.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import t from 'tap';
import { shippedLicenses } from '../../scripts/docs/licenses.js';
import { released } from '../../scripts/release/texts.js';

const RELEASE = resolve('dist/scripts/release/index.js');
const SHRINKWRAP = resolve('dist/scripts/release/shrinkwrap.js');

t.test('the changelog: entries below Unreleased get a heading', async (t) => {
  const version = { version: '1.2.0', date: '2026-01-31' };
  const first = released('# Changelog\n\n## Unreleased\n\n- A.\n- B.\n', version);
  t.equal(first, '# Changelog\n\n## Unreleased\n\n## 1.2.0 - 2026-01-31\n\n- A.\n- B.\n');
  const next = released(first.replace('## Unreleased\n', '## Unreleased\n\n- C.\n'), {
    ...version,
    version: '1.3.0',
  });
  t.match(next, /## Unreleased\n\n## 1\.3\.0 - 2026-01-31\n\n- C\.\n\n## 1\.2\.0 - 2026-01-31\n\n- A\./);
  t.throws(() => released(first, version), { message: /no entry/ });
  t.throws(() => released('# Changelog\n', version), { message: /no heading/ });
});

t.test('the package has the program, and neither tests nor sources', async (t) => {
  const packed = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
    encoding: 'utf8',
  });
  const [{ files }] = JSON.parse(packed) as [{ files: { path: string }[] }];
  const paths = files.map(({ path }) => path);
  const needed = [
    'dist/src/main.js',
    'lua/apply.lua',
    'package.json',
    'LICENSE',
    'README.md',
    'CHANGELOG.md',
  ];
  for (const path of needed) t.ok(paths.includes(path), path);
  const odd = paths.filter((path) => /^(test|bench|scripts|dist\/(test|bench|scripts))\/|\.map$/.test(path));
  t.strictSame(odd, []);
});

t.test('the shrinkwrap has no package of development', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'quotagate-release-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  symlinkSync(resolve('package-lock.json'), join(folder, 'package-lock.json'));
  execFileSync(process.execPath, [SHRINKWRAP], { cwd: folder });
  const { packages } = JSON.parse(readFileSync(join(folder, 'npm-shrinkwrap.json'), 'utf8'));
  t.ok(packages['node_modules/fastify']);
  t.notOk(packages['node_modules/tap']);
  t.notOk(packages[''].devDependencies);
});

t.test('a licence that may not be shipped is refused', async (t) => {
  const lock = (license?: string): string =>
    JSON.stringify({ packages: { 'node_modules/a': { license }, 'node_modules/b': { dev: true } } });
  t.equal(shippedLicenses(lock('MIT')).get('a'), 'MIT');
  t.throws(() => shippedLicenses(lock('AGPL-3.0-only')), { message: /a \(AGPL-3\.0-only\)/ });
  t.throws(() => shippedLicenses(lock()), { message: /a \(none\)/ });
});

t.test('the release script', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'quotagate-release-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const run = (command: string, ...args: string[]): string =>
    execFileSync(command, args, { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim();
  run('git', 'clone', '--quiet', '--depth', '1', `file://${resolve('.')}`, '.');
  run('git', 'config', 'user.name', 'release test');
  run('git', 'config', 'user.email', 'release@example.test');
  const said = run(process.execPath, RELEASE, '7.8.9', '2026-01-31');
  t.match(said, /released 7\.8\.9/);
  t.equal(run('git', 'describe', '--tags', '--exact-match'), 'v7.8.9');
  t.equal(run('git', 'status', '--porcelain'), '');
  const read = (file: string): string => readFileSync(join(folder, file), 'utf8');
  t.equal(JSON.parse(read('package.json')).version, '7.8.9');
  t.match(read('helm/quotagate/Chart.yaml'), /^version: 7\.8\.9\nappVersion: 7\.8\.9$/m);
  t.match(read('Dockerfile'), /image\.version="7\.8\.9"/);
  t.match(read('CHANGELOG.md'), /## Unreleased\n\n## 7\.8\.9 - 2026-01-31\n/);
  t.throws(() => run(process.execPath, RELEASE, 'minor'), /no entry below/);
  t.equal(run('git', 'status', '--porcelain'), '', 'a refused release changes nothing');
});
