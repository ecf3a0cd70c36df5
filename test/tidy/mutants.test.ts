// Every mutant's text stands exactly once in the source it breaks, so that none of them is left out unnoticed.
import { existsSync, readFileSync } from 'node:fs';
import t from 'tap';
import { MUTANTS } from '../mutants/table.js';

const REPOSITORY = new URL('../../../', import.meta.url);

const sources = new Map<string, string>();
function sourceOf(file: string): string {
  const url = new URL(file, REPOSITORY);
  const source = sources.get(file) ?? (existsSync(url) ? readFileSync(url, 'utf8') : '');
  sources.set(file, source);
  return source;
}

const wrong = MUTANTS.map(({ file, name, search }) => ({
  mutant: `${name} (${file})`,
  places: sourceOf(file).split(search).length - 1,
})).filter(({ places }) => places !== 1);
t.same(wrong, [], `${MUTANTS.length} mutants`);
