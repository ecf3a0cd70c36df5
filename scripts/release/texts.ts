/** What a release changes in texts. */

/** Keep a Changelog 1.1: the entries below `Unreleased` get the heading of the version. */
export function released(changelog: string, { version, date }: { version: string; date: string }): string {
  const [before, rest] = changelog.split('## Unreleased\n');
  if (before === undefined || rest === undefined)
    throw new Error('CHANGELOG.md has no heading `## Unreleased`');
  const next = rest.search(/^## /m);
  const entries = (next < 0 ? rest : rest.slice(0, next)).trim();
  if (entries === '') throw new Error('CHANGELOG.md has no entry below `## Unreleased`');
  const older = next < 0 ? [] : [rest.slice(next).trim()];
  return `${before}${['## Unreleased', `## ${version} - ${date}`, entries, ...older].join('\n\n')}\n`;
}

/** Chart and program have one version. */
export function chartOf(chart: string, version: string): string {
  return chart
    .replace(/^version: .*$/m, `version: ${version}`)
    .replace(/^appVersion: .*$/m, `appVersion: ${version}`);
}

/** The label of the image is the version of the program. */
export function dockerfileOf(dockerfile: string, version: string): string {
  return dockerfile.replace(/(org\.opencontainers\.image\.version=)"[^"]*"/, `$1"${version}"`);
}
