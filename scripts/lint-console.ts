/** The first load of the console stays small: the page of the overview, with all that it loads, compressed. */
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

const FOLDER = 'dist/console';
const MOST_KIB = 120;
/** Where a load begins, and what is loaded with the first chart. */
const LOADED = [
  'index.html',
  'pages/overview/overview-page.tsx',
  '../../node_modules/uplot/dist/uPlot.esm.js',
];

interface Chunk {
  readonly file: string;
  readonly css?: readonly string[];
  readonly imports?: readonly string[];
}

const manifest = JSON.parse(readFileSync(`${FOLDER}/.vite/manifest.json`, 'utf8')) as Record<string, Chunk>;

function filesOf(name: string, found: Set<string>): void {
  const chunk = manifest[name];
  if (chunk === undefined) throw new Error(`${name} is not in the manifest of the console`);
  if (found.has(chunk.file)) return;
  found.add(chunk.file);
  for (const style of chunk.css ?? []) found.add(style);
  for (const other of chunk.imports ?? []) filesOf(other, found);
}

const files = new Set(['index.html']);
for (const name of LOADED) filesOf(name, files);
// With `cssCodeSplit: false` the one file of styles has an entry of its own.
for (const { file } of Object.values(manifest)) if (file.endsWith('.css')) files.add(file);
const sizes = [...files].map((file) => gzipSync(readFileSync(`${FOLDER}/${file}`), { level: 9 }).length);
const kib = sizes.reduce((sum, size) => sum + size, 0) / 1024;
process.stdout.write(`console: the first load is ${kib.toFixed(1)} KiB compressed, in ${files.size} files\n`);
if (kib > MOST_KIB) {
  process.stderr.write(`It may be ${MOST_KIB} KiB (scripts/lint-console.ts)\n`);
  process.exitCode = 1;
}
