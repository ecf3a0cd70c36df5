// Lua is source: every command documents its KEYS, ARGV and return, its includes are there, and it makes up no key.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { Keys } from '../../src/ledger/redis/keys.js';
import { loadScript } from '../../src/ledger/redis/scripts.js';

const FOLDER = fileURLToPath(new URL('../../../lua', import.meta.url));
const luaIn = (folder: string): string[] => readdirSync(folder).filter((name) => name.endsWith('.lua'));
const read = (...path: string[]): string => readFileSync(join(FOLDER, ...path), 'utf8');

const COMMANDS = luaIn(FOLDER).map((name) => name.slice(0, -'.lua'.length));
const INCLUDES = luaIn(join(FOLDER, 'include')).map((name) => name.slice(0, -'.lua'.length));
const SOURCES = [
  ...COMMANDS.map((name) => read(`${name}.lua`)),
  ...INCLUDES.map((name) => read('include', `${name}.lua`)),
];

/** Places such as the 3 of `KEYS[3]`. */
function places(name: 'KEYS' | 'ARGV', text: string): string[] {
  const found = text.matchAll(new RegExp(`\\b${name}\\[(\\d+)\\]`, 'g'));
  return [...new Set([...found].map((match) => match[1] ?? ''))];
}

function includesOf(source: string): string[] {
  return [...source.matchAll(/^.*@include.*$/gm)].map((match) => match[0]);
}

t.ok(COMMANDS.length > 0 && INCLUDES.length > 0, 'there is Lua to look at');

for (const name of COMMANDS)
  t.test(`${name}.lua`, async (t) => {
    const source = read(`${name}.lua`);
    const header = /^--\[\[\n([\s\S]*?)\n\]\]\n/.exec(source)?.[1] ?? '';
    const whole = loadScript(name).source;
    const body = whole.slice(whole.indexOf(']]') + 2);
    t.match(header, /^ {2}[A-Z]/, 'begins with what it does');
    t.match(header, /\n {2}Returns /, 'says what it returns');
    for (const kind of ['KEYS', 'ARGV'] as const) {
      t.match(header, kind, `documents ${kind}`);
      const documented = places(kind, header);
      for (const place of places(kind, body))
        t.ok(documented.includes(place), `${kind}[${place}] is documented`);
    }
    for (const line of includesOf(source)) {
      const part = /^ *--- @include "([a-z-]+)"$/.exec(line)?.[1] ?? line;
      t.ok(INCLUDES.includes(part), `${part} is there to be included`);
    }
    t.same(includesOf(whole), [], 'every include was put in');
  });

for (const name of INCLUDES)
  t.test(`include/${name}.lua`, async (t) => {
    const source = read('include', `${name}.lua`);
    t.match(source, /^-- [A-Z]/, 'begins with what it is');
    const users = COMMANDS.filter((command) =>
      includesOf(read(`${command}.lua`))
        .join()
        .includes(`"${name}"`),
    );
    t.ok(users.length > 0, 'is included somewhere');
    t.same(includesOf(source), [], 'includes nothing itself');
  });

t.test('numbers stand in the place of their names', async (t) => {
  const options = {
    replaced: { now: "local ONE, TWO = 1, -2\nlocal function now() return ONE + TWO + a.ONE + #'ONE' end" },
  };
  const { source } = loadScript('clock', options);
  t.match(source, "return 1 + -2 + a.ONE + #'ONE'");
  t.notMatch(source, 'local ONE');
  const twice = { replaced: { now: 'local ONE = 1\nlocal ONE = 2\n' } };
  t.throws(() => loadScript('clock', twice), /ONE has two values/);
});

t.test('every number that has a name is used', async (t) => {
  const all = SOURCES.join('\n');
  const declared = all.matchAll(/^ *local ((?:[A-Z][A-Z\d_]+(?:, )?)+) =\s+-?\d/gm);
  for (const name of [...declared].flatMap(([, names = '']) => names.split(', ')))
    t.ok(all.split(new RegExp(`\\b${name}\\b`)).length > 2, name);
});

t.test('keys come from KEYS only', async (t) => {
  let calls = 0;
  for (const source of SOURCES) {
    for (const [text, , key] of source.matchAll(
      // The subcommand of MEMORY stands before its key.
      /redis\.p?call\(\s*('MEMORY', 'USAGE'|[^,()]+)(?:,\s+([^,()]+(?:\([^()]*\))?[^,()]*))?/g,
    )) {
      if (key === undefined) {
        t.equal(text, "redis.call('TIME'", 'only TIME needs no key');
        continue;
      }
      calls += 1;
      t.match(key, /^(KEYS\[.+\]|([a-z_]+\.)*([a-z_]+_)?key)$/, `the key of ${text}`);
    }
    for (const [text, value] of source.matchAll(/\b(?:[a-z_]+_)?key(?:, [a-z_]+)* = ([^,\n]+)/g))
      t.match(
        value,
        /^(KEYS\[|ARGV\[at\]$|line\.quota_counters\.cycle\.consumed_key$|membership \.\.)/,
        `what ${text} comes from`,
      );
    t.notMatch(source, /['"][^'"]*:\{|\bKEYS\[[^\]]*\] ?\.\./, 'no name of a key is put together');
  }
  t.ok(calls > 20, `${calls} calls looked at`);
});

t.test('apply.lua names its keys in the order in which they are sent', async (t) => {
  const documented = [...read('apply.lua').matchAll(/KEYS\[(\d+)\] ([a-z]+)/g)].map((match) => [
    match[1],
    match[2],
  ]);
  const call = { org: 'acme', epoch: '', producer: '', seq: 0, ruleVersion: 1, expireMost: 0, ops: [] };
  const cycles = [{ start: 5, end: 9 }];
  const sent = new Keys('qg').ofCall({ ...call, cycles, unknownUsers: 'deny' });
  const fixed = sent.slice(0, -3).map((key, index) => [String(index + 1), key.replace('qg:{acme}:', '')]);
  t.same(documented, fixed);
  t.same(sent.slice(-3), ['qg:{acme}:consumed:5', 'qg:{acme}:held:5', 'qg:{acme}:changes']);
  t.ok(sent.every((key) => key.includes('{acme}')));
});
