/** Mutants of the journal: what a line says beside the units, and counts of refused requests. */
import { broken, type Mutant } from './mutant.js';

export const JOURNAL: readonly Mutant[] = [
  ...broken(
    'journal',
    'a settlement does not say what the meter read',
    'journal-detail',
    ['include/settle', 'local raws = model and raws_in(raw_list)', 'local raws = nil'],
    ['holds', 'const read = op.raws?.[index];', 'const read = undefined;'],
  ),
  ...broken(
    'journal',
    'a settlement keeps the model of its request',
    'journal-detail',
    ['include/holds', 'detail_of(hold.key_id, model or hold.model,', 'detail_of(hold.key_id, hold.model,'],
    ['holds', 'op.estimated, op.model)', 'op.estimated)'],
  ),
  ...broken(
    'journal',
    'what came late is read twice',
    'journal-detail',
    ['include/settle', 'raws[index] = raws[index] - item.charged', ''],
    ['holds', 'read - before', 'read'],
  ),
  ...broken(
    'journal',
    'a hold forgets the API key',
    'journal-detail',
    ['include/reserve', 'key_id = actor.key_id,', "key_id = '',"],
    ['decide', 'action,\n        key,\n', "action,\n        key: '',\n"],
  ),
  ...broken(
    'journal',
    'a refund leaves the API key out',
    'journal-detail',
    ['include/settle', 'detail_of(ARGV[place + 7], parsed.model', "detail_of('', parsed.model"],
    ['holds', "lineDetail(op.key ?? '', model)", "lineDetail('', model)"],
  ),
  ...broken(
    'journal',
    'tokens that cost nothing are left out',
    'journal-detail',
    ['include/holds', 'or raw and raw ~= 0 then', 'then'],
    ['expire', 'if (consumed === 0 && (raw ?? 0) === 0)', 'if (consumed === 0)'],
  ),
  ...broken(
    'journal',
    'counts of refused requests are dropped',
    'journal-detail',
    ['include/settle', 'journal[#journal + 1] = lines', ''],
    ['apply', 'work.journal.push(op.lines);', ''],
  ),
];
