/** Mutants of notices. */
import { broken, type Mutant } from './mutant.js';

export const NOTICES: readonly Mutant[] = [
  ...broken(
    'notices',
    'a notice is sent each time',
    'notices',
    [
      'include/notices',
      'if tonumber(highest) >= threshold and tonumber(marked_cap) >= cap then return end',
      '',
    ],
    ['crossings', 'highest >= threshold && markedLimit >= limit', 'false'],
  ),
  ...broken(
    'notices',
    'a raised cap does not arm its notices',
    'notices',
    [
      'include/notices',
      " and tonumber(marked_cap) >= cap then return end\n  redis.call('HSET', key, marker, threshold",
      " then return end\n  redis.call('HSET', key, marker, threshold",
    ],
    ['crossings', 'highest >= threshold && markedLimit >= limit', 'highest >= threshold'],
  ),
  ...broken(
    'notices',
    'a lowered cap sends notices again',
    'notices',
    [
      'include/notices',
      'tonumber(highest) >= threshold and tonumber(marked_cap) >= cap',
      'tonumber(highest) >= threshold and tonumber(marked_cap) == cap',
    ],
    ['crossings', 'markedLimit >= limit', 'markedLimit === limit'],
  ),
  ...broken(
    'notices',
    'the first refusal sends no notice',
    'notices',
    ['include/reserve', 'note_refusal(violation[2], violation[3], violation[6], actor)', ''],
    ['decide', 'noteRefusal(work, one, op.user, op.charges.action);', ''],
  ),
  ...broken(
    'notices',
    'a refusal hides what is consumed later',
    'notices',
    [
      'include/notices',
      "marker = line.quota_counters.cycle.consumed_key, '!refused:' .. line.field",
      "marker = line.quota_counters.cycle.consumed_key, '!mark:' .. line.field",
    ],
    ['crossings', '`!refused:', '`!mark:'],
  ),
  ...broken(
    'notices',
    'of several thresholds in one call only the last is reported',
    'notices',
    [
      'include/notices',
      'if before < mark and consumed >= mark then',
      'if before < mark and consumed >= mark and threshold == 100 then',
    ],
    [
      'crossings',
      'line.consumedBefore < mark && line.consumed >= mark',
      'line.consumedBefore < mark && line.consumed >= mark && threshold === 100',
    ],
  ),
  ...broken(
    'notices',
    'reaching a threshold exactly sends no notice',
    'notices',
    ['include/notices', 'and consumed >= mark', 'and consumed > mark'],
    ['crossings', 'line.consumed >= mark', 'line.consumed > mark'],
  ),
  ...broken(
    'notices',
    'groups and the org have the thresholds of users',
    'notices',
    ['include/notices', 'thresholds[line.letter]', 'thresholds.u'],
    ['crossings', 'thresholds[line.scope]', 'thresholds.user'],
  ),
  ...broken(
    'notices',
    'entries of the outbox become deliveries twice',
    'notice-steps',
    ['notices', 'if not entry or entry[1] ~= ARGV[1] then return 0 end', ''],
    ['notices', 'orgState.logs.outbox[0]?.id !== outbox.first', 'false'],
  ),
  ...broken(
    'notices',
    'a delivery that changed meanwhile is overwritten',
    'notice-steps',
    ['notices', "if value ~= (ARGV[at + 1] == '1' and ARGV[at + 2]) then return 0 end", ''],
    ['notices', '(fields.text(field) ?? null) !== value', 'false'],
  ),
  ...broken(
    'notices',
    'entries that became deliveries stay in the outbox',
    'notice-steps',
    ['notices', "redis.call('XTRIM', KEYS[2], 'MINID', ms .. '-' .. string.format('%.0f', seq + 1))", ''],
    ['notices', "orgState.trim('outbox', outbox.last);", ''],
  ),
];
