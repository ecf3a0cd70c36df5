/** The inward dependencies: rooms know the words and the ledger's port, never each other; libraries stay in their rooms. */
const only = (name, library, rooms) => ({
  name: `${name}-only-there`,
  comment: `${name} is used in ${rooms} and nowhere else`,
  severity: 'error',
  from: { path: '^src/', pathNot: `^src/(${rooms})` },
  to: { path: `^node_modules/${library}/` },
});
const room = (name, allowed) => ({
  name: `${name}-points-inward`,
  comment: `${name} knows ${allowed} and nothing else of ours`,
  severity: 'error',
  from: { path: `^src/${name}/` },
  to: { path: '^src/', pathNot: `^src/(${name}/|${allowed})` },
});
const WORDS = 'quota/|errors/|http/';
const PORT = `${WORDS}|ledger/port|ledger/codec`;

module.exports = {
  forbidden: [
    {
      name: 'no-circles',
      severity: 'error',
      from: {},
      to: { circular: true, dependencyTypesNot: ['type-only'] },
    },
    only('ioredis', 'ioredis', 'ledger/redis'),
    only('undici', 'undici', 'forward|cli/token'),
    only('fastify', 'fastify', 'gateway|admin|app|listen'),
    only('prom-client', 'prom-client', 'observe'),
    only('classic-level', 'classic-level', 'ledger/memory'),
    only('typebox', 'typebox', 'config|admin'),
    room('quota', 'ledger/port'),
    room('errors', 'quota/'),
    room('http', 'none'),
    room('identify', WORDS),
    room('meter', WORDS),
    room('forward', WORDS),
    room('settle', PORT),
    room('keep', PORT),
    room('observe', PORT),
    room('admin', `${PORT}|ledger/view|ledger/store-meta`),
    room('config', 'quota/|http/'),
    room('ledger', WORDS),
    {
      name: 'ledgers-apart',
      comment: 'two judges of one law: neither looks at the other',
      severity: 'error',
      from: { path: '^src/ledger/redis/' },
      to: { path: '^src/ledger/memory/' },
    },
    {
      name: 'only-the-corridor-knows-the-rooms',
      severity: 'error',
      from: { path: '^src/gateway/', pathNot: '^src/gateway/(corridor|me)' },
      to: { path: '^src/(meter|forward|settle|identify)/' },
    },
    {
      name: 'gateway-points-inward',
      severity: 'error',
      from: { path: '^src/gateway/' },
      to: { path: '^src/(admin|config|cli|keep|observe|ledger/(redis|memory))' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    // TypeScript 7 has no API that the cruiser could parse with.
    parser: 'swc',
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { extensions: ['.ts', '.js'] },
  },
};
