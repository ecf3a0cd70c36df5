// Each folder of src says in a few lines what it owns, what it does not own, and where to start reading.
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';

const SRC = fileURLToPath(new URL('../../../src', import.meta.url));
const HEADER_LINES_MAX = 15;

const entries = readdirSync(SRC, { withFileTypes: true, recursive: true });
const folders = [
  SRC,
  ...entries.flatMap((one) => (one.isDirectory() ? [join(one.parentPath, one.name)] : [])),
];

for (const folder of folders) {
  const files = readdirSync(folder);
  const start = ['index.ts', 'routes.ts'].find((file) => files.includes(file));
  const header = start ? /^\/\*\*.*?\*\//s.exec(readFileSync(join(folder, start), 'utf8'))?.[0] : undefined;
  const isIntroduced =
    files.includes('README.md') || (header !== undefined && header.split('\n').length <= HEADER_LINES_MAX);
  t.ok(
    isIntroduced,
    `${relative(SRC, folder) || 'src'}: README.md, or a comment at the top of index.ts or routes.ts`,
  );
}
