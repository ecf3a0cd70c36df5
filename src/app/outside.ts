/** What a config names outside of itself: files, variables and folders. */
import { readFileSync } from 'node:fs';
import type { Path } from '../config/issues.js';

export interface Outside {
  readonly path: Path;
  /** Throws where it cannot be used. */
  readonly read: () => unknown;
}

interface NamedFile {
  readonly path: Path;
  /** Undefined: not set, or an error of its own. */
  readonly file: string | undefined;
}

/** Files that are used together: each one that cannot be read, or else all of them at once. */
export function* filesTogether(named: readonly NamedFile[], together: Outside): Generator<Outside> {
  const unreadable = named.flatMap(({ path, file }): Outside[] => {
    if (file === undefined || isReadable(file)) return [];
    return [{ path, read: () => readFileSync(file) }];
  });
  if (unreadable.length === 0) yield together;
  else yield* unreadable;
}

function isReadable(file: string): boolean {
  try {
    readFileSync(file);
    return true;
  } catch {
    return false;
  }
}
