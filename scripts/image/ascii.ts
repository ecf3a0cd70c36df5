/** Escapes what is not ASCII in the files that each start reads: with one such character, node keeps two bytes for each of a file. */
import type { Plugin } from 'vite';

const OTHER = /[\u0080-\uffff]/g;
/** In a template that is read raw, an escape is another text. */
const RAW = /\braw`[^`]*[\u0080-\uffff]/;

function asciiOf(code: string): string {
  const [raw] = RAW.exec(code) ?? [];
  if (raw !== undefined) throw new Error(`a raw template has a character that is not ASCII: ${raw}`);
  return code.replace(OTHER, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

export const ascii: Plugin = {
  name: 'ascii',
  enforce: 'post',
  generateBundle(_options, bundle) {
    for (const file of Object.values(bundle))
      if (file.type === 'chunk' && file.isEntry) file.code = asciiOf(file.code);
  },
};
