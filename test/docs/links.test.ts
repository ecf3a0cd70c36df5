// Every link between pages leads to a file that exists, and to a heading that it has.
import { existsSync, statSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import t from 'tap';
import { GUIDES, PAGES, proseOf, ROOT, textOf } from './pages.js';

const README_LINES_MAX = 120;
const LINK = /\[[^\]]*\]\(([^)\s]+)\)/g;

function linksIn(page: string): string[] {
  return [...proseOf(page).matchAll(LINK)].map(([, target = '']) => target);
}

/** As hosts of repositories make them from headings. */
function anchorsOf(page: string): Set<string> {
  const anchors = new Set<string>();
  for (const [, title = ''] of proseOf(page).matchAll(/^#+ (.+)$/gm)) {
    const plain = title.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase();
    const slug = plain.replace(/[^\p{L}\p{N} _-]/gu, '').replaceAll(' ', '-');
    let anchor = slug;
    for (let count = 1; anchors.has(anchor); count += 1) anchor = `${slug}-${count}`;
    anchors.add(anchor);
  }
  return anchors;
}

/** Why a relative link leads nowhere; undefined where it does not. */
function faultOf(page: string, target: string): string | undefined {
  const [path = '', anchor] = target.split('#');
  const to = path === '' ? page : normalize(join(dirname(page), path));
  if (to.startsWith('..')) return 'it leaves the repository';
  if (!existsSync(join(ROOT, to))) return 'there is no such file';
  if (anchor === undefined) return undefined;
  if (!to.endsWith('.md') || statSync(join(ROOT, to)).isDirectory()) return 'only pages have headings';
  return anchorsOf(to).has(anchor) ? undefined : `${to} has no heading #${anchor}`;
}

for (const page of PAGES) {
  t.test(page, async (t) => {
    for (const target of linksIn(page)) {
      if (/^[a-z]+:/.test(target)) t.match(target, /^https:\/\//, target);
      else t.equal(faultOf(page, target), undefined, target);
    }
  });
}

t.test('every page under docs can be reached from the README', async (t) => {
  const reached = new Set<string>(['README.md']);
  for (const page of reached) {
    for (const target of linksIn(page)) {
      const to = normalize(join(dirname(page), target.split('#')[0] ?? ''));
      if (GUIDES.includes(to)) reached.add(to);
    }
  }
  t.same(
    GUIDES.filter((page) => !reached.has(page)),
    [],
  );
});

t.test('the README fits on one screen', async (t) => {
  const lines = textOf('README.md').trimEnd().split('\n');
  t.ok(lines.length <= README_LINES_MAX, `${lines.length} lines`);
});

t.test('a link that leads nowhere is found', async (t) => {
  t.equal(faultOf('README.md', 'docs/none.md'), 'there is no such file');
  t.match(faultOf('README.md', 'docs/store.md#none'), /no heading/);
  t.equal(faultOf('docs/store.md', '#lost-data'), undefined);
});
