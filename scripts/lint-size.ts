/** Files stay within 400 lines (functions within 70: biome.json), but for generated declarations. The list of exceptions only shrinks. */
import { readdirSync, readFileSync } from 'node:fs';

const LINES_MAX = 400;
const FOLDERS = ['src', 'lua', 'scripts', 'test', 'bench'];
/** Files that are longer still, and how long each may be. */
const EXCEPTIONS: Readonly<Record<string, number>> = {
  'test/config/mistakes.test.ts': 610,
  'test/e2e/identity-matrix.test.ts': 405,
  'test/forward/headers.test.ts': 460,
  'test/meter/llm/odd-answers.test.ts': 410,
  'test/meter/llm/shapes.test.ts': 420,
};

const files = FOLDERS.flatMap((folder) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((file) => `${folder}/${file}`),
).filter((file) => /(?<!\.d)\.tsx?$|\.(css|lua|py|sh)$/.test(file) && !file.includes('/node_modules/'));
const problems = files.flatMap((file) => {
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n').length;
  const allowed = EXCEPTIONS[file] ?? LINES_MAX;
  if (lines > allowed) return [`${file} has ${lines} lines, and may have ${allowed}: split it`];
  if (file in EXCEPTIONS && lines <= LINES_MAX) return [`${file} needs no exception any more: remove it`];
  return [];
});
const gone = Object.keys(EXCEPTIONS).filter((file) => !files.includes(file));
problems.push(...gone.map((file) => `${file} is gone: remove its exception`));
for (const problem of problems) process.stderr.write(`${problem} (scripts/lint-size.ts)\n`);
process.exitCode = problems.length === 0 ? 0 : 1;
