// The Dockerfile passes hadolint; its image runs as a numeric non-root user and stops on SIGTERM.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { GUIDES, tablesUnder, textOf } from '../docs/pages.js';
import { lintDockerfile, REPOSITORY, skipWithoutDeployTools } from '../support/deploy-tools.js';

const text = readFileSync(join(REPOSITORY, 'Dockerfile'), 'utf8');
const stages = text.split(/^(?=FROM )/m).slice(1);
const last = stages.at(-1) ?? '';

t.test('hadolint reports nothing', { skip: skipWithoutDeployTools }, async (t) => {
  t.same(lintDockerfile(text), []);
  t.match(
    lintDockerfile('FROM debian\nUSER root\n'),
    [{ code: 'DL3006' }, { code: 'DL3002' }],
    'hadolint finds known errors',
  );
});

t.test('the image has no build tools and the right entry point', async (t) => {
  t.equal(stages.length, 2, 'build tools stay in the first stage');
  const [, user] = last.match(/^USER (\d+):\d+$/m) ?? [];
  t.ok(Number(user) > 0);
  t.match(last, /^STOPSIGNAL SIGTERM$/m);
  t.match(last, /^ENTRYPOINT \["\/usr\/local\/bin\/node", "\/app\/dist\/main\.js"\]$/m);
  t.match(last, /^CMD \["serve", "-c", "\/etc\/quotagate\/quotagate\.yaml"\]$/m);
  t.match(last, /^HEALTHCHECK .*\\\n {2}CMD \["\/usr\/local\/bin\/node".*\/healthz/m);
  t.notMatch(last, /^RUN /m, 'the image has no shell');
  const { version } = JSON.parse(readFileSync(join(REPOSITORY, 'package.json'), 'utf8'));
  t.match(last, new RegExp(`org\\.opencontainers\\.image\\.version="${version}"`));
});

t.test('the chart runs the image as the same user', async (t) => {
  const values = readFileSync(join(REPOSITORY, 'helm/quotagate/values.yaml'), 'utf8');
  const [, user] = last.match(/^USER (\d+):/m) ?? [];
  for (const key of ['runAsUser', 'runAsGroup', 'fsGroup'])
    t.match(values, new RegExp(`${key}: ${user}$`, 'm'));
});

t.test('the guides name the program, config, ports, user and health check of the image', async (t) => {
  const entry = /^ENTRYPOINT \["(.+)", "(.+)"\]$/m.exec(last)?.slice(1).join(' ');
  const commands = GUIDES.flatMap((page) => textOf(page).match(/\/usr\/local\/bin\/node \/\S+/g) ?? []);
  t.ok(commands.length > 1);
  for (const command of commands) t.equal(command, entry);
  const said = new Map(
    tablesUnder('docs/deployment.md', '## Image').map(([about, what = '']) => [about, what]),
  );
  const [, config = ''] = /^CMD \["serve", "-c", "(.+)"\]$/m.exec(last) ?? [];
  t.match(said.get('config'), `\`${config}\``);
  for (const port of /^EXPOSE (.+)$/m.exec(last)?.[1]?.split(' ') ?? []) t.match(said.get('ports'), port);
  t.match(said.get('user, capabilities'), /^USER (\d+):/m.exec(last)?.[1]);
  for (const [, path = ''] of last.matchAll(/^VOLUME \["(.+)"\]$/gm))
    t.match(said.get('writable'), `\`${path}\``);
  const [, port, path] = /127\.0\.0\.1:(\d+)(\/\w+)/.exec(last) ?? [];
  t.match(said.get('health check'), `\`${path}\` on port ${port}`);
});

t.test('no other module loads the sample upstreams at start', async (t) => {
  const folder = join(REPOSITORY, 'src');
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.ts'),
  );
  const imports = files.filter((file) =>
    /^import .*?from '[^']*\/demo(?:\/[^']*)?(?:\.js)?';$/m.test(readFileSync(join(folder, file), 'utf8')),
  );
  t.same(
    imports.filter((file) => !file.startsWith('demo/')),
    ['cli/demo.ts'],
  );
  t.match(readFileSync(join(folder, 'main.ts'), 'utf8'), /await import\('\.\/cli\/demo\.js'\)/);
});
