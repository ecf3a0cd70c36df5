// Each folder of src says in a few lines what it owns, what it does not own, and where to start reading; those of the console do so
// in one table.
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';

const SRC = fileURLToPath(new URL('../../../src', import.meta.url));
const HEADER_LINES_MAX = 15;

const CONSOLE = join(SRC, 'console');
const entries = readdirSync(SRC, { withFileTypes: true, recursive: true });
const folders = [
  SRC,
  ...entries.flatMap((one) => (one.isDirectory() ? [join(one.parentPath, one.name)] : [])),
].filter((folder) => !folder.startsWith(`${CONSOLE}/`));

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

const table = readFileSync(join(CONSOLE, 'README.md'), 'utf8');
for (const one of readdirSync(CONSOLE, { withFileTypes: true }))
  if (one.isDirectory())
    t.match(table, `| \`${one.name}/\` |`, `console/${one.name}: a row of its README.md`);
