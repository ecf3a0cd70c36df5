/** Folders that the process writes to. */
import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/** Throws where the folder cannot be made or written to; makes nothing. */
export function checkWritable(path: string): void {
  let folder = resolve(path);
  while (dirname(folder) !== folder && !existsSync(folder)) folder = dirname(folder);
  try {
    if (!statSync(folder).isDirectory()) throw new Error(`${folder} is not a folder`);
    accessSync(folder, constants.W_OK | constants.X_OK);
  } catch (cause) {
    throw new Error(`the folder ${path} cannot be written to`, { cause });
  }
}
