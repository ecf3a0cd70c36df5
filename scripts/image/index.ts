/**
 * Makes the folder that the image runs: `node dist/scripts/image/index.js FOLDER`, after `npm run build`. The program and its packages
 * become a few files, because a start that reads hundreds takes twice as long. Beside them is what is read at run time.
 */
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { build } from 'vite';
import { ascii } from './ascii.js';
import { EXTERNAL, foldersOf, isNeededIn } from './external.js';
import { packagesIn, sbomOf } from './sbom.js';

/** The sample upstreams stay in the npm package. */
const DEMO = /\/cli\/demo\.js$/;
/** Other files that the program reads, by their place in the package. */
const READ = ['LICENSE', 'lua', 'dist/console'];

async function bundle(outDir: string): Promise<void> {
  await build({
    configFile: false,
    publicDir: false,
    logLevel: 'warn',
    // Of a package with several forms, the one that node runs in the tests.
    resolve: { mainFields: ['main'], conditions: ['node', 'module-sync'] },
    ssr: { noExternal: true, external: [...EXTERNAL] },
    plugins: [ascii],
    build: {
      ssr: true,
      outDir,
      emptyOutDir: true,
      target: 'node20.19',
      license: { fileName: 'licenses.md' },
      rolldownOptions: {
        input: { main: 'dist/src/main.js', 'scan-worker': 'dist/src/meter/llm/scan-worker.js' },
        external: [DEMO],
        output: {
          // An import of node:http would load all that it exports, fetch and WebSocket too.
          format: 'cjs',
          // In one folder: the worker thread is started by its name beside the code that starts it.
          entryFileNames: '[name].js',
          chunkFileNames: '[name]-[hash].js',
          // Each start reads them. Licences have their own file.
          comments: false,
        },
      },
    },
  });
}

async function makeFolder(folder: string): Promise<void> {
  rmSync(folder, { recursive: true, force: true });
  await bundle(join(folder, 'dist'));
  writeFileSync(join(folder, 'package.json'), packageText());
  for (const path of READ) cpSync(path, join(folder, path), { recursive: true });
  for (const path of foldersOf(EXTERNAL))
    cpSync(path, join(folder, path), { recursive: true, filter: isNeededIn(path) });
}

/** Without `type: module`. */
function packageText(): string {
  const { name, version, license, exports } = JSON.parse(readFileSync('package.json', 'utf8'));
  return `${JSON.stringify({ name, version, license, exports }, null, 2)}\n`;
}

function writeSbom(folder: string): void {
  const licenses = ['dist/licenses.md', 'dist/console/licenses.md'];
  const packages = licenses.flatMap((file) => packagesIn(readFileSync(join(folder, file), 'utf8')));
  writeFileSync(join(folder, 'sbom.cdx.json'), sbomOf(new Set(packages)));
}

const [, script = '', folder] = process.argv;
if (folder === undefined) throw new Error(`usage: node ${basename(script)} FOLDER`);
const target = resolve(folder);
await makeFolder(target);
writeSbom(target);
