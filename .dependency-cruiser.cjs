/** Dependencies point inward: stages know the domain types and the ledger's port, never each other; libraries stay in their folders. */
const only = (name, library, folders) => ({
  name: `${name}-only-there`,
  comment: `${name} is used in ${folders} and nowhere else`,
  severity: 'error',
  from: { path: '^src/', pathNot: `^src/(${folders})` },
  to: { path: `^node_modules/${library}/` },
});
const folder = (name, allowed) => ({
  name: `${name}-points-inward`,
  comment: `${name} knows ${allowed} and nothing else of ours`,
  severity: 'error',
  from: { path: `^src/${name}/` },
  to: { path: '^src/', pathNot: `^src/(${name}/|${allowed})` },
});
const DOMAIN = 'quota/|errors/|http/';
const PORT = `${DOMAIN}|ledger/(port|operations|codec|call-cycles|scan-all|change-feed|large-commit|journal-export|with-lease)`;
/** The interface by which an answer is read: forwarder and settlement each use their side of it. */
const READER = 'meter/reader';

module.exports = {
  forbidden: [
    {
      name: 'no-circles',
      severity: 'error',
      from: {},
      to: { circular: true, dependencyTypesNot: ['type-only'] },
    },
    only('ioredis', 'ioredis', 'ledger/redis'),
    only('undici', 'undici', 'forward|cli/admin-client|notify/channels|export/targets'),
    only('nodemailer', 'nodemailer', 'notify/channels'),
    only('openid-client', 'openid-client', 'admin/session'),
    only('standardwebhooks', 'standardwebhooks', 'notify/channels|export/targets'),
    only('fastify', 'fastify', 'gateway|admin|app'),
    only('prom-client', 'prom-client', 'observe'),
    only('classic-level', 'classic-level', 'ledger/embedded'),
    only('typebox', 'typebox', 'config|admin'),
    folder('quota', 'none'),
    folder('errors', 'quota/'),
    folder('http', 'none'),
    folder('identify', DOMAIN),
    folder('meter', DOMAIN),
    folder('forward', `${DOMAIN}|${READER}`),
    folder('settle', `${PORT}|${READER}`),
    folder('history', `${PORT}|ledger/view`),
    folder('maintenance', `${PORT}|history/`),
    folder('notify', `${PORT}|ledger/view`),
    folder('export', `${PORT}|ledger/store-meta`),
    folder('observe', PORT),
    folder(
      'admin',
      `${PORT}|history/|identify/(claims|verified-tokens)|ledger/view|ledger/store-meta|notify/`,
    ),
    folder('console', 'cli/admin-api'),
    {
      name: 'console-only-in-the-browser',
      comment: 'the server serves the built page and knows nothing of its sources',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/console/' },
      to: { path: '^src/console/' },
    },
    folder('config', 'quota/|http/|history/retention|admin/access/roles'),
    folder('ledger', DOMAIN),
    {
      name: 'ledgers-apart',
      comment: 'two implementations of one contract: neither imports the other',
      severity: 'error',
      from: { path: '^src/ledger/redis/' },
      to: { path: '^src/ledger/embedded/' },
    },
    {
      name: 'only-the-pipeline-knows-the-stages',
      severity: 'error',
      from: { path: '^src/gateway/', pathNot: '^src/gateway/(pipeline|me)' },
      to: { path: '^src/(meter|forward|settle|identify)/', pathNot: `^src/${READER}` },
    },
    {
      name: 'gateway-points-inward',
      severity: 'error',
      from: { path: '^src/gateway/' },
      to: { path: '^src/(admin|config|cli|maintenance|observe|ledger/(redis|embedded))' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    // The parser reads no JSX; the compiler of the console sees nothing of the server but what is imported by name.
    exclude: { path: '\\.tsx$' },
    // TypeScript 7 has no API that the cruiser could parse with.
    parser: 'swc',
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { extensions: ['.ts', '.js'] },
  },
};
