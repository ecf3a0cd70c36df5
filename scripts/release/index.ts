/**
 * `npm run release -- <major | minor | patch | x.y.z> [YYYY-MM-DD]`: sets the version of package, chart and image, gives the unreleased
 * part of the changelog its heading, commits and tags. It pushes and publishes nothing.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { chartOf, dockerfileOf, released } from './texts.js';

const CHART = 'helm/quotagate/Chart.yaml';
const DOCKERFILE = 'Dockerfile';
const CHANGELOG = 'CHANGELOG.md';
const FILES = ['package.json', 'package-lock.json', CHART, DOCKERFILE, CHANGELOG];

function run(command: string, ...args: string[]): string {
  return execFileSync(command, args, { encoding: 'utf8' }).trim();
}

function rewrite(file: string, change: (text: string) => string): void {
  writeFileSync(file, change(readFileSync(file, 'utf8')));
}

function release(step: string, date: string): string {
  if (run('git', 'status', '--porcelain') !== '')
    throw new Error('the working tree has changes: commit or stash them');
  // Before anything is written: without entries there is nothing to release.
  released(readFileSync(CHANGELOG, 'utf8'), { version: '0.0.0', date });
  const version = run('npm', 'version', step, '--no-git-tag-version').replace(/^v/, '');
  rewrite(CHART, (text) => chartOf(text, version));
  rewrite(DOCKERFILE, (text) => dockerfileOf(text, version));
  rewrite(CHANGELOG, (text) => released(text, { version, date }));
  run('git', 'commit', '--quiet', '--message', `chore: release ${version}`, '--', ...FILES);
  run('git', 'tag', '--annotate', `v${version}`, '--message', `quotagate ${version}`);
  return version;
}

const [step, date = new Date().toISOString().slice(0, 10)] = process.argv.slice(2);
try {
  if (step === undefined) throw new Error('which step? npm run release -- <major | minor | patch | x.y.z>');
  process.stdout.write(
    `released ${release(step, date)}: push the commit and the tag, then \`npm publish\`\n`,
  );
} catch (error) {
  process.stderr.write(`release: ${(error as Error).message}\n`);
  process.exitCode = 1;
}
