// Every endpoint of the admin API is called by curl in the guides; blocks.test.ts runs what stands there.
import t from 'tap';
import { ENDPOINTS } from '../../src/admin/endpoints.js';
import { blocksOf, GUIDES } from './pages.js';

interface Call {
  readonly method: string;
  readonly path: readonly string[];
}

const URL_IN = /localhost:9080(\/v1\/[^\s'"?)]*)/;

/** The calls in a block: one a line, with the variables that stand for the beginning of a URL. */
function callsIn(text: string): Call[] {
  let lines = text.replace(/\\\n/g, ' ');
  for (const [, name, url = ''] of text.matchAll(/^(\w+)="?(localhost:9080\/\S+?)"?$/gm))
    lines = lines.replaceAll(`$${name}`, url);
  return lines.split('\n').flatMap((line) => {
    const [, path] = URL_IN.exec(line) ?? [];
    if (path === undefined) return [];
    const [, stated] = / -X (\w+)/.exec(line) ?? [];
    return [{ method: stated ?? (/ (-d|--data\S*) /.test(line) ? 'POST' : 'GET'), path: path.split('/') }];
  });
}

t.test('every endpoint has a curl', async (t) => {
  const calls = GUIDES.flatMap((page) => blocksOf(page, 'sh').flatMap(({ text }) => callsIn(text)));
  t.ok(calls.length > ENDPOINTS.length / 2);
  for (const { method, path } of ENDPOINTS) {
    const parts = `/v1${path}`.split('/');
    const found = calls.some(
      (call) =>
        call.method === method &&
        call.path.length === parts.length &&
        parts.every((part, at) => part.startsWith(':') || part === call.path[at]),
    );
    t.ok(found, `${method} /v1${path}: add a curl to a page of docs/`);
  }
});
