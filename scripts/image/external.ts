/** Packages that cannot be part of a bundle, and the files of them that the program needs. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** One has a native addon. The others read files of their own folders. */
export const EXTERNAL = ['classic-level', '@fastify/swagger', '@fastify/swagger-ui'] as const;

const MODULES = 'node_modules';
/** What code loads, and licences. Sources of addons, types, maps and texts are left out. */
const NEEDED_FILE = /\.(js|cjs|mjs|json|node|css|html|png|svg)$|^licen[cs]e/i;
/** What packages need for their own development, and packages that are copied by themselves. */
const UNNEEDED_FOLDER = /^(test|tests|docs|examples|benchmarks?|node_modules)$/;
/** Native addons, by platform and architecture. */
const PREBUILDS = 'prebuilds';

/** The folders of these packages and of all that they depend on, from the root of the repository. */
export function foldersOf(packages: readonly string[]): ReadonlySet<string> {
  const folders = new Set<string>();
  const add = (name: string, importer: string): void => {
    const folder = folderOf(name, importer);
    if (folders.has(folder)) return;
    folders.add(folder);
    const { dependencies = {} } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
      dependencies?: Record<string, string>;
    };
    for (const dependency of Object.keys(dependencies)) add(dependency, folder);
  };
  for (const name of packages) add(name, '.');
  return folders;
}

/** As node looks for it: beside the importer, then above. */
function folderOf(name: string, importer: string): string {
  const folder = join(importer, MODULES, name);
  if (existsSync(folder)) return folder;
  if (importer === '.') throw new Error(`the package ${name} is not installed`);
  return folderOf(name, dirname(importer));
}

/** Decides about each file and folder in the folder of a package. */
export function isNeededIn(folder: string): (path: string) => boolean {
  return (path) => {
    if (path === folder) return true;
    const name = basename(path);
    if (basename(dirname(path)) === PREBUILDS) return name === `${process.platform}-${process.arch}`;
    return statSync(path).isDirectory() ? !UNNEEDED_FOLDER.test(name) : NEEDED_FILE.test(name);
  };
}
