/** Mutants of the export of the journal: what it lacks is kept, and what it loses is counted. */
import { broken, type Mutant } from './mutant.js';

export const EXPORTS: readonly Mutant[] = [
  ...broken(
    'exports',
    'what a target lacks is deleted',
    'export',
    ['include/exported', 'if is_before(own, last) then last = own end', ''],
    ['exported', "[orgState.org.text('fold') ?? '', ...texts", "[orgState.org.text('fold') ?? '', ...[]"],
  ),
  ...broken(
    'exports',
    'what is not in the history is deleted',
    'export',
    ['include/exported', 'local last = fold\n', "local last = '999999999999999-0'\n"],
    ['exported', "[orgState.org.text('fold') ?? '', ...texts", '[...texts'],
  ),
  ...broken(
    'exports',
    'a step does not look at what it replaces',
    'export',
    ['export', " or (redis.call('HGET', KEYS[3], ARGV[1]) or '') ~= ARGV[2]", ''],
    ['exported', ' || (fields.text(target) ?? null) !== was', ''],
  ),
  ...broken(
    'exports',
    'past the bound, what is not in the history is lost',
    'export',
    ['trim-journal', 'if is_before(fold, entry[1]) then break end', ''],
    ['exported', 'oldest.filter(({ id }) => id <= fold)', 'oldest'],
  ),
  ...broken(
    'exports',
    'losses are not counted',
    'export',
    ['trim-journal', 'lost + count', 'lost'],
    ['exported', 'lost: state.lost + entries', 'lost: state.lost'],
  ),
  ...broken(
    'exports',
    'a target loses what it has',
    'export',
    ['trim-journal', 'if is_before(own, id) then count', 'if true then count'],
    ['exported', 'going.filter(({ id }) => id > state.last).length', 'going.length'],
  ),
];
