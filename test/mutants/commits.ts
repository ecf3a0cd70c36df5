/** Mutants of commits and the change feed. */
import { broken, type Mutant } from './mutant.js';

export const COMMITS: readonly Mutant[] = [
  ...broken(
    'the change feed',
    'a registration is not in it',
    'change-feed',
    ['include/members', "'members=' .. user", "''"],
    ['decide', 'noteChanged(`members=', 'noteChanged(`x='],
  ),
  ...broken(
    'the change feed',
    'a commit is not in it',
    'change-feed',
    ['commit', "if ARGV[3] ~= '' then", 'if false then'],
    ['index', "if (changed !== '')", 'if (false)'],
  ),
  ...broken(
    'commits',
    'a commit overwrites one that came between',
    'directory',
    ['commit', "ARGV[1] ~= '' and version ~= tonumber(ARGV[1]) then", 'false then'],
    ['commit', 'version !== commit.version', 'false'],
  ),
  ...broken(
    'commits',
    'a commit leaves no audit entry',
    'directory',
    ['commit', "if ARGV[2] ~= '' then", 'if false then'],
    ['index', "if (commit.audit !== '')", 'if (false)'],
  ),
];
