/** The pages that people read, and what stands in them. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/** Paths of Markdown files under a folder, relative to the root. */
function markdownUnder(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(folder, name))
    .sort();
}

/** README and guides: what a user reads, in an order in which it can be read. */
export const GUIDES = ['README.md', ...markdownUnder('docs')];

export const PAGES = [
  ...GUIDES,
  ...['CONTRIBUTING.md', 'SECURITY.md', 'lua/README.md'].filter((page) => existsSync(join(ROOT, page))),
  ...['src', 'test', 'bench', 'helm'].flatMap(markdownUnder),
];

export function textOf(page: string): string {
  return readFileSync(join(ROOT, page), 'utf8');
}

export interface Block {
  readonly language: string;
  readonly text: string;
  /** Of its first line. */
  readonly line: number;
}

const FENCE = /^```(\w*)\n(.*?)^```$/gms;

export function blocksOf(page: string, language: string): Block[] {
  const text = textOf(page);
  return [...text.matchAll(FENCE)]
    .map(({ 1: name = '', 2: body = '', index }) => ({
      language: name,
      text: body,
      line: text.slice(0, index).split('\n').length + 1,
    }))
    .filter((block) => block.language === language);
}

/** Values of the Helm chart, and not a config. */
export function isValues({ text }: Block): boolean {
  return text.startsWith('# values.yaml\n');
}

/** Its text without code blocks. */
export function proseOf(page: string): string {
  return textOf(page).replace(FENCE, '');
}

/** Cells of each row of the tables under a heading, up to the next heading of its level or above. */
export function tablesUnder(page: string, heading: string): string[][] {
  const lines = textOf(page).split('\n');
  const from = lines.indexOf(heading);
  if (from === -1) throw new Error(`${page} has no heading "${heading}"`);
  const level = heading.indexOf(' ');
  const isNext = (line: string) => /^#+ /.test(line) && line.indexOf(' ') <= level;
  const rest = lines.slice(from + 1);
  const to = rest.findIndex(isNext);
  return rest
    .slice(0, to === -1 ? rest.length : to)
    .filter((line) => line.startsWith('|') && !/^\|[\s|-]+$/.test(line))
    .map((line) =>
      line
        .slice(1, -1)
        .split(/(?<!\\)\|/)
        .map((cell) => cell.trim()),
    );
}
