/**
 * Run by npm before and after it packs. The versions that were tested travel with the package: npm reads `npm-shrinkwrap.json` of a
 * dependency, but neither its `package-lock.json` nor its `overrides`.
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';

const SHRINKWRAP = 'npm-shrinkwrap.json';

interface Lock {
  packages: Record<string, { dev?: boolean; devDependencies?: unknown }>;
}

/** The lock file without what only development needs. */
function shrinkwrap(text: string): string {
  const lock = JSON.parse(text) as Lock;
  const packages = Object.entries(lock.packages).filter(([, { dev }]) => dev !== true);
  lock.packages = Object.fromEntries(packages);
  delete lock.packages['']?.devDependencies;
  return `${JSON.stringify(lock, null, 2)}\n`;
}

if (process.argv[2] === 'remove') rmSync(SHRINKWRAP, { force: true });
else writeFileSync(SHRINKWRAP, shrinkwrap(readFileSync('package-lock.json', 'utf8')));
