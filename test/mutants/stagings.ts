/** Mutants of large changes: stagings, their switch, and what a commit expects. */
import { broken, type Mutant } from './mutant.js';

export const STAGINGS: readonly Mutant[] = [
  ...broken(
    'stagings',
    'a switch undoes a later change',
    'staging',
    ['commit', '(staging ~= ARGV[4] or head[5] or', '(staging ~= ARGV[4] or'],
    ['commit', "org.text('stagingConflict') === undefined", 'true'],
  ),
  ...broken(
    'stagings',
    'a seat counts twice',
    'staging',
    ['include/members', "redis.call('HINCRBY', KEYS[1], 'stagingSeats', -1)", ''],
    ['decide', "org.set('stagingSeats', org.number('stagingSeats') - 1);", ';'],
  ),
  ...broken(
    'stagings',
    'a request after the switch does not see the staged limits',
    'staging',
    [
      'include/limit-counters',
      'if head.staged then put_staged(head.staged, KEYS[2], fields, limits) end',
      '',
    ],
    [
      'limit-counters',
      "orgState.directory('limits', line.field)",
      "orgState.table('limits').text(line.field)",
    ],
  ),
  ...broken(
    'stagings',
    'a piece replaces what its author has not read',
    'staging',
    ['stage', "if not first then return 'changed' end", ''],
    ['staging', "return 'changed';", "return 'ok';"],
  ),
  ...broken(
    'stagings',
    'a staging that goes on is ended',
    'staging',
    ['unstage', "then return 'alive' end", 'then end'],
    ['staging', "return 'alive';", ';'],
  ),
];
