// Every mistake is reported with its place, and all of a file at once.
import t from 'tap';
import { ConfigSchema } from '../../src/config/schema.js';
import { linesOf, mistakesOf } from './support.js';

interface Case {
  readonly name: string;
  readonly text: string;
  readonly lines: readonly string[];
}

const NAME = '1 to 64 letters, digits, dots, underscores or dashes';
const AMOUNT = 'a decimal number ≥ 0, with no more decimals than the quota has';

function run(cases: readonly Case[]): void {
  for (const { name, text, lines } of cases) {
    t.test(name, async (t) => t.strictSame(linesOf(mistakesOf(text)), lines));
  }
}

// YAML
run([
  {
    name: 'a key that stands twice',
    text: 'quotas:\n  lds:\n  ai: {}\n  lds: { unit: calls }\n',
    lines: ['4:3 /quotas/lds: duplicate key `lds` – remove one of the two'],
  },
  {
    name: 'broken YAML',
    text: 'quotas: [1\nroutes: []\n',
    lines: [
      '2:1 : Flow sequence in block collection must be sufficiently indented and end with a ] – fix the YAML',
    ],
  },
  {
    name: 'two documents',
    text: 'log: {}\n---\nlog: {}\n',
    lines: ['2:1 : the file holds more than one document – keep one, without ---'],
  },
  {
    name: 'a tag',
    text: 'quotaPath: !x /q\n',
    lines: ['1:12 : Unresolved tag: !x – fix the YAML'],
  },
  {
    name: 'an alias without an anchor',
    text: 'quotas:\n  lds: *lds\n',
    lines: [
      '2:8 /quotas/lds: no anchor &lds is defined before this alias – add the anchor, or write the value out',
    ],
  },
  {
    name: 'a mistake in what an alias stands for',
    text: 'quotas:\n  a: &a { decimals: 9 }\n  b: *a\n',
    lines: [
      '2:21 /quotas/a/decimals: 9 is out of bounds – write a whole number from 0 to 6',
      '2:21 /quotas/b/decimals: 9 is out of bounds – write a whole number from 0 to 6',
    ],
  },
  {
    name: 'a list instead of a map',
    text: '- log\n',
    lines: [`1:1 : a list is not a map – write a map of ${Object.keys(ConfigSchema.properties).join(', ')}`],
  },
]);

// Keys
run([
  {
    name: 'an unknown key that is close to one',
    text: 'log: {}\nsrever: {}\n',
    lines: ['2:1 /srever: `srever` is not a setting – did you mean `server`?'],
  },
  {
    name: 'an unknown key that is close to none',
    text: 'log:\n  pretty: true\n',
    lines: ['2:3 /log/pretty: `pretty` is not a setting – remove it; known here: level'],
  },
  {
    name: 'keys that exclude each other',
    text: 'store:\n  redis: redis://h\n  embedded: { path: x }\n',
    lines: ['2:3 /store/redis: `redis` cannot be combined with `embedded` – keep one of the two'],
  },
  {
    name: 'missing keys',
    text: 'upstreams: { maps: {} }\nstore: { passwordFile: /p }\n',
    lines: [
      '1:20 /upstreams/maps/url: `url` is missing – add `url`: scheme, host and port only, such as http://maps:3000, or unix:///run/maps.sock',
      '2:8 /store/redis: `redis` is missing – add `redis`: redis://host:port, rediss://host:port or unix:///path',
    ],
  },
  {
    name: 'names that are none',
    text: 'quotas: { a b: {} }\norgs: { "": {}, o: { users: { "": {} } } }\n',
    lines: [
      `1:11 /quotas/a b: "a b" is not a valid name – write ${NAME}`,
      `2:9 /orgs/: "" is not a valid name – write ${NAME}`,
      '2:31 /orgs/o/users/: "" is not a valid user id – write 1 to 256 bytes of text',
    ],
  },
  {
    name: 'the place of a key that needs escapes in a pointer',
    text: 'orgs: { o: { users: { a/b~c: { email: x } } } }\n',
    lines: [
      '1:39 /orgs/o/users/a~1b~0c/email: "x" is not an e-mail address – write an address such as ana@example.com',
    ],
  },
]);

// Values
run([
  {
    name: 'addresses',
    text: 'server:\n  gateway: localhost\n  admin: h:65536\n  ops: 9091\n',
    lines: [
      '2:12 /server/gateway: "localhost" is not an address to listen on – write host:port, such as 0.0.0.0:8080 or [::1]:8080',
      '3:10 /server/admin: "h:65536" is not an address to listen on, or off – write host:port, such as 127.0.0.1:9080 or [::1]:9080, or off',
      '4:8 /server/ops: 9091 is not text – put it in quotes',
    ],
  },
  {
    name: 'whole numbers',
    text: 'store: { deadlineMs: 0 }\nquotas: { a: { decimals: 7 }, b: { decimals: 1.5 }, c: { decimals: one } }\n',
    lines: [
      '1:22 /store/deadlineMs: 0 is out of bounds – write a whole number from 1 to 10000',
      '2:26 /quotas/a/decimals: 7 is out of bounds – write a whole number from 0 to 6',
      '2:46 /quotas/b/decimals: 1.5 is not a whole number – write a whole number from 0 to 6',
      '2:68 /quotas/c/decimals: "one" is not a whole number – write a whole number from 0 to 6',
    ],
  },
  {
    name: 'a setting without a value',
    text: 'store:\n  redis:\nlog: { level: ~ }\n',
    lines: [
      '2:9 /store/redis: has no value – write redis://host:port, rediss://host:port or unix:///path',
      '3:15 /log/level: has no value – write one of fatal, error, warn, info, debug, trace, silent',
    ],
  },
  {
    name: 'words that are none of those known',
    text: 'log: { level: inof }\nstore: { redis: "redis://h", whenDown: open }\n',
    lines: [
      '1:15 /log/level: "inof" is none of fatal, error, warn, info, debug, trace, silent – did you mean `info`?',
      '2:40 /store/whenDown: "open" is none of closed – write closed, or { open: { units: 1000, seconds: 60 } }',
    ],
  },
  {
    name: 'an open mode without its bounds, or out of them',
    text:
      'store: { redis: "redis://h", whenDown: { open: { units: 0.5 } } }\n' +
      'upstreams: { up: { url: "http://u" } }\nidentity: { trusted: { peers: [::1] } }\n' +
      'routes:\n  - { match: GET /a, action: a, upstream: up, charges: [], whenDown: { opn: {} } }\n' +
      '  - { match: GET /b, action: b, upstream: up, charges: [], whenDown: { open: { units: 5, seconds: 0 } } }\n',
    lines: [
      '1:48 /store/whenDown/open/seconds: `seconds` is missing – add `seconds`: a whole number from 1 to 86400',
      '1:57 /store/whenDown/open/units: 0.5 is not a whole number – write a whole number from 1 to 9000000000',
      '5:70 /routes/0/whenDown: is a map without a known key – write closed, or { open: { units: 1000, seconds: 60 } }',
      '6:99 /routes/1/whenDown/open/seconds: 0 is out of bounds – write a whole number from 1 to 86400',
    ],
  },
  {
    name: 'an open mode where nothing can be down',
    text:
      'upstreams: { up: { url: "http://u" } }\nidentity: { trusted: { peers: [::1] } }\n' +
      'routes:\n  - { match: GET /a, action: a, upstream: up, charges: [], whenDown: { open: { units: 5, seconds: 9 } } }\n' +
      '  - { match: GET /b, action: b, upstream: up, charges: [], whenDown: closed }\n',
    lines: [
      '4:70 /routes/0/whenDown: `whenDown` applies to a Redis store only – remove it, or set `store.redis`',
    ],
  },
  {
    name: 'a prefix with which not every path begins',
    text:
      'upstreams: { up: { url: "unix:///run/up.sock" } }\nidentity: { trusted: { peers: [::1] } }\nroutes:\n' +
      ['/v3/maps', '/v3/', '/v', '/v3/maps/:id', '/v3/maps/a']
        .map(
          (prefix, index) =>
            `  - { match: GET /v3/maps/:id/${index}, action: a, upstream: up, charges: [], stripPrefix: '${prefix}' }\n`,
        )
        .join(''),
    lines: [
      '5:85 /routes/1/stripPrefix: not every path that `GET /v3/maps/:id/1` matches begins with /v3/ – write exact segments that `match` begins with',
      '6:85 /routes/2/stripPrefix: not every path that `GET /v3/maps/:id/2` matches begins with /v – write exact segments that `match` begins with',
      '7:85 /routes/3/stripPrefix: "/v3/maps/:id" is not a plain path – write exact segments that `match` begins with, such as /v3',
      '8:85 /routes/4/stripPrefix: not every path that `GET /v3/maps/:id/4` matches begins with /v3/maps/a – write exact segments that `match` begins with',
    ],
  },
  {
    name: 'sockets that are none',
    text: 'upstreams: { a: { url: "unix:///" }, b: { url: "unix://host/a" }, c: { url: "unix:///a?b" }, d: { url: "unix:///run/d.sock" } }\n',
    lines: ['a', 'b', 'c'].map(
      (name, index) =>
        `1:${[24, 48, 77][index]} /upstreams/${name}/url: the value is not the origin of an upstream – write scheme, host and port only, such as http://maps:3000, or unix:///run/maps.sock`,
    ),
  },
  {
    name: 'options of the client in the URL of Redis',
    text: 'store: { redis: "redis://h?enableOfflineQueue=true" }\n',
    lines: [
      '1:17 /store/redis: the value is not a Redis URL – write redis://host:port, rediss://host:port or unix:///path',
    ],
  },
  {
    name: 'URLs, without showing what may be a secret',
    text: 'store: { redis: "http://u:secret@h" }\nupstreams: { a: { url: "http://a/base" }, b: { url: "b:80" }, c: { url: "http://u:secret@c" } }\n',
    lines: [
      '1:17 /store/redis: the value is not a Redis URL – write redis://host:port, rediss://host:port or unix:///path',
      '2:24 /upstreams/a/url: the value is not the origin of an upstream – write scheme, host and port only, such as http://maps:3000, or unix:///run/maps.sock',
      '2:53 /upstreams/b/url: the value is not the origin of an upstream – write scheme, host and port only, such as http://maps:3000, or unix:///run/maps.sock',
      '2:73 /upstreams/c/url: the value is not the origin of an upstream – write scheme, host and port only, such as http://maps:3000, or unix:///run/maps.sock',
    ],
  },
  {
    name: 'a port that the system chooses is nobody’s yet',
    text: 'server: { gateway: h:0, admin: h:0 }\n',
    lines: [],
  },
  {
    name: 'a password in two places',
    text: 'store:\n  redis: redis://:secret@h\n  passwordFile: /run/secrets/redis\n',
    lines: ['3:17 /store/passwordFile: the URL also holds a password – remove the password from the URL'],
  },
  {
    name: 'trusted peers and headers',
    text: 'identity:\n  trusted:\n    peers: [10.0.0.0/33, localhost, "::ffff:1.2.3.4"]\n    org: X-Org\n    user: x_user\n    groups: host\n',
    lines: [
      ...['3:13 /identity/trusted/peers/0: "10.0.0.0/33"', '3:26 /identity/trusted/peers/1: "localhost"'],
      '3:37 /identity/trusted/peers/2: "::ffff:1.2.3.4"',
      '4:10 /identity/trusted/org: "X-Org"',
      '5:11 /identity/trusted/user: "x_user"',
      '6:13 /identity/trusted/groups: "host"',
    ].map((line, index) =>
      index < 3
        ? `${line} is not an IP address or a range of them – write an address or a range in CIDR form, such as 10.0.0.0/8 or ::1`
        : `${line} is not a header name that can be used here – write a header name in lower case, without underscores, that HTTP itself does not use`,
    ),
  },
  {
    name: 'no peers, and one header for two things',
    text: 'identity:\n  trusted:\n    peers: []\n    org: x-id\n    user: x-id\n',
    lines: [
      '3:12 /identity/trusted/peers: a list is out of bounds – write a list of addresses and ranges',
      '5:11 /identity/trusted/user: `org` has this header already – write another header',
    ],
  },
  {
    name: 'statuses',
    text: 'quotas: { a: { counts: [299-200, 2xx, 700, 200] } }\n',
    lines: [
      '1:25 /quotas/a/counts/0: "299-200"',
      '1:34 /quotas/a/counts/1: "2xx"',
      '1:39 /quotas/a/counts/2: 700',
    ].map(
      (line) =>
        `${line} is not a status or a range of statuses – write a status such as 404, or a range such as 200-299`,
    ),
  },
  {
    name: 'a path of own figures that is no plain path',
    text: 'quotaPath: /quota/*\n',
    lines: [
      '1:12 /quotaPath: "/quota/*" is not a plain path – write a path of plain segments, such as /quota/me',
    ],
  },
  {
    name: 'two listeners on one address',
    text: 'server:\n  gateway: h:80\n  admin: h:80\n  ops: h:81\n',
    lines: ['3:10 /server/admin: `gateway` listens on h:80 already – write another port'],
  },
]);

const ROUTES = `quotas: { usage: { decimals: 1 }, lds: }
upstreams: { maps: { url: "http://maps" } }
identity: { trusted: { peers: [127.0.0.1/32] } }
routes:
`;

// Routes: the first stands on line 5.
run([
  {
    name: 'no identity where routes need one',
    text: 'identity: {}\nupstreams: { m: { url: "http://m" } }\nroutes:\n  - { match: GET /, identity: none, upstream: m }\n  - { match: GET /a, action: a, upstream: m, charges: [] }\n',
    lines: [
      '1:11 /identity: routes need an identity (the first is /routes/1), but no source is configured – add `trusted`, `apiKeys` or `jwt`',
    ],
  },
  {
    name: 'a metered route without what it needs',
    text: `${ROUTES}  - match: GET /\n`,
    lines: [
      `5:5 /routes/0/action: \`action\` is missing – add \`action\`: ${NAME}`,
      `5:5 /routes/0/upstream: \`upstream\` is missing – add \`upstream\`: ${NAME}`,
      '5:5 /routes/0/charges: `charges` is missing – add `charges`: a list of at most 8 charges ([] for a route that is free)',
    ],
  },
  {
    name: 'names that stand for nothing, and an action that is none',
    text: `${ROUTES}  - match: GET /
    action: a b
    upstream: mapps
    charges: [{ quota: lsd, units: 1 }, { quota: other, gate: true }]
`,
    lines: [
      `6:13 /routes/0/action: "a b" is not a valid name – write ${NAME}`,
      '7:15 /routes/0/upstream: upstream `mapps` not found – did you mean `maps`?',
      '8:24 /routes/0/charges/0/quota: quota `lsd` not found – did you mean `lds`?',
      '8:50 /routes/0/charges/1/quota: quota `other` not found – write one of usage, lds',
    ],
  },
  {
    name: 'matches that cannot be read',
    text: `${ROUTES}${[
      'PSOT /',
      'get /',
      'GET',
      '/a',
      'GET a',
      'GET /a//b',
      'GET /a;b',
      'GET /../a',
      'GET /a/*/b',
      'CONNECT /',
    ]
      .map((match) => `  - { match: "${match}", identity: none, upstream: maps }\n`)
      .join('')}`,
    lines: [
      'PSOT /',
      'get /',
      'GET',
      '/a',
      'GET a',
      'GET /a//b',
      'GET /a;b',
      'GET /../a',
      'GET /a/*/b',
      'CONNECT /',
    ].map(
      (match, index) =>
        `${index + 5}:14 /routes/${index}/match: "${match}" is not a method and a path that can be matched – write METHOD /path, such as GET /v3/maps/*`,
    ),
  },
  {
    name: 'models that no name can reach',
    text: 'models:\n  - { match: gpt-* }\n  - { match: GPT-4o }\n  - { match: "claude-*-2025" }\n  - { match: claude-*-4-2025 }\n  - { match: "*" }\n  - { match: a.c }\n  - { match: x* }\n',
    lines: [
      '3:14 /models/1/match: no model can match this entry: /models/0 (`gpt-*`) matches them all – move it before that one, or remove it',
      '5:14 /models/3/match: no model can match this entry: /models/2 (`claude-*-2025`) matches them all – move it before that one, or remove it',
      '7:14 /models/5/match: no model can match this entry: /models/4 (`*`) matches them all – move it before that one, or remove it',
      '8:14 /models/6/match: no model can match this entry: /models/4 (`*`) matches them all – move it before that one, or remove it',
    ],
  },
  {
    name: 'routes that no request can reach',
    text: `${ROUTES}${['GET /a/*', 'GET /a/b', '* /c', 'POST /c', 'GET /quota/me', 'GET /A/:x']
      .map((match) => `  - { match: "${match}", identity: none, upstream: maps }\n`)
      .join('')}`,
    lines: [
      '6:14 /routes/1/match: no request can reach this route: /routes/0 (`GET /a/*`) matches them all – move it before that one, or remove it',
      '8:14 /routes/3/match: no request can reach this route: /routes/2 (`* /c`) matches them all – move it before that one, or remove it',
      '9:14 /routes/4/match: no request can reach this route: the caller’s own figures (`quotaPath`) matches them all – move it before that one, or remove it',
      '10:14 /routes/5/match: no request can reach this route: /routes/0 (`GET /a/*`) matches them all – move it before that one, or remove it',
    ],
  },
  {
    name: 'a free route that charges',
    text: `${ROUTES}  - { match: GET /, identity: none, upstream: maps, charges: [{ quota: lds, units: 1 }] }\n  - { match: GET /a, identity: nonne, upstream: maps }\n`,
    lines: [
      '5:62 /routes/0/charges: a list is out of bounds – write []: an anonymous route is free',
      '6:32 /routes/1/identity: "nonne" is none of required, none – did you mean `none`?',
    ],
  },
  {
    name: 'replays',
    text: `${ROUTES}  - { match: POST /, action: a, upstream: maps, charges: [{ quota: lds, gate: true }], replayHeader: { name: idempotent-replayed } }
  - { match: POST /a, action: a, upstream: maps, charges: [{ quota: lds, units: 1 }], replayHeader: { name: Content-Length } }
  - { match: POST /b, action: a, upstream: maps, charges: [{ quota: lds, units: 1 }], replayHeader: idempotent-replayed }
  - { match: 'POST /c/*:verb', action: a, upstream: maps, charges: [] }
`,
    lines: [
      '5:102 /routes/0/replayHeader: this route is free, so replays make no difference – remove it, or add a charge',
      '6:109 /routes/1/replayHeader/name: "Content-Length" is not a header name that can be used here – write a header name in lower case, without underscores, that HTTP itself does not use',
      '7:101 /routes/2/replayHeader: "idempotent-replayed" is not a map – write a map of name, value',
      '8:14 /routes/3/match: "POST /c/*:verb" is not a method and a path that can be matched – write METHOD /path, such as GET /v3/maps/*',
    ],
  },
  {
    name: 'charges',
    text: `${ROUTES}  - match: GET /
    action: a
    upstream: maps
    charges:
      - { quota: lds, units: 0.1 }
      - { quota: usage, units: 0.11 }
      - { quota: usage, units: -1 }
      - { quota: usage, units: 1e300 }
      - { quota: usage, units: 900000000000001 }
      - { quota: usage, units: { body: /x } }
      - { quota: usage, units: { json: x } }
      - { quota: usage, units: { header: x-quota-user } }
`,
    lines: [
      '9:30 /routes/0/charges/0/units: 0.1 has more decimals than `lds`, which has 0 – write a multiple of 1, or raise the decimals of `lds`',
      '10:32 /routes/0/charges/1/units: 0.11 has more decimals than `usage`, which has 1 – write a multiple of 0.1, or raise the decimals of `usage`',
      `11:32 /routes/0/charges/2/units: -1 is not an amount of units – write an amount, or one of { header: … }, { json: … }, { jsonLength: … }`,
      `12:32 /routes/0/charges/3/units: 1e+300 is not an amount of units – write an amount, or one of { header: … }, { json: … }, { jsonLength: … }`,
      '13:32 /routes/0/charges/4/units: 900000000000001 is too large for `usage` – write a smaller amount',
      '14:32 /routes/0/charges/5/units: is a map without a known key – write an amount, or one of { header: … }, { json: … }, { jsonLength: … }',
      '15:40 /routes/0/charges/6/units/json: "x" is not a JSON pointer – write a JSON pointer, such as /addresses or /options/count',
      '16:42 /routes/0/charges/7/units/header: `x-quota-user` identifies the caller, so it cannot carry the cost – write another header',
    ],
  },
  {
    name: 'a gate that costs, a gate that is off, a charge of nothing',
    text: `${ROUTES}  - match: GET /
    action: a
    upstream: maps
    charges: [{ quota: lds, gate: true, units: 1 }, { quota: lds, gate: false }, { quota: lds }]
`,
    lines: [
      '8:29 /routes/0/charges/0/gate: `gate` cannot be combined with `units` – keep one of the two',
      '8:73 /routes/0/charges/1/gate: false is not true – write true',
      '8:82 /routes/0/charges/2/units: `units` is missing – add `units`: an amount, or one of { header: … }, { json: … }, { jsonLength: … }',
    ],
  },
  {
    name: 'a cost known from the response only, without its hold',
    text: `${ROUTES}  - { match: GET /, action: a, upstream: maps, charges: [{ quota: lds, units: { responseHeader: x-n } }] }\n`,
    lines: [`5:58 /routes/0/charges/0/hold: \`hold\` is missing – add \`hold\`: ${AMOUNT}`],
  },
  {
    name: 'more charges than a decision may have',
    text: `${ROUTES}  - { match: GET /, action: a, upstream: maps, charges: [${Array(9).fill('{ quota: lds, units: 1 }').join()}] }\n`,
    lines: [
      '5:57 /routes/0/charges: a list is out of bounds – write a list of at most 8 charges ([] for a route that is free)',
    ],
  },
  {
    name: 'a body limit that no memory holds',
    text: `${ROUTES}  - { match: GET /, action: a, upstream: maps, charges: [], bodyLimitBytes: 1e9 }\n`,
    lines: [
      '5:77 /routes/0/bodyLimitBytes: 1000000000 is out of bounds – write a whole number from 0 to 67108864',
    ],
  },
]);

// Orgs: what is in the org begins on line 4.
const ORG = 'quotas: { usage: { decimals: 1 }, lds: }\norgs:\n  acme:\n';

run([
  {
    name: 'cycles',
    text: `orgs:
  a: { cycle: { every: mnoth } }
  b: { cycle: { every: day, anchor: 24 } }
  c: { cycle: { every: year, anchor: 230 } }
  d: { cycle: { timeZone: Mars/Base } }
  e: { cycle: { timeZone: "+02:00" } }
  f: { cycle: { anchor: 0 } }
`,
    lines: [
      '2:24 /orgs/a/cycle/every: "mnoth" is none of month, hour, day, week, year – did you mean `month`?',
      '3:37 /orgs/b/cycle/anchor: 24 is out of bounds – write every day: the hour, 0 to 23',
      '4:38 /orgs/c/cycle/anchor: 230 is not a date – for every year it must be a date as month × 100 + day, such as 401 for April 1',
      '5:27 /orgs/d/cycle/timeZone: Mars/Base is not an IANA time zone – write a name such as Europe/Madrid or UTC',
      '6:27 /orgs/e/cycle/timeZone: +02:00 is not an IANA time zone – write a name such as Europe/Madrid or UTC',
      '7:25 /orgs/f/cycle/anchor: 0 is out of bounds – write every month: the day, 1 to 31 (in short months the last day)',
    ],
  },
  {
    name: 'plans',
    text: `${ORG}    plans: { lds: { allowance: 0.5, extra: -1 }, ldss: { allowance: 1 }, usage: { mode: sfot } }\n`,
    lines: [
      '4:32 /orgs/acme/plans/lds/allowance: 0.5 has more decimals than `lds`, which has 0 – write a multiple of 1, or raise the decimals of `lds`',
      `4:44 /orgs/acme/plans/lds/extra: -1 is not an amount of units – write ${AMOUNT}`,
      '4:50 /orgs/acme/plans/ldss: quota `ldss` not found – did you mean `lds`?',
      `4:81 /orgs/acme/plans/usage/allowance: \`allowance\` is missing – add \`allowance\`: ${AMOUNT}`,
      '4:89 /orgs/acme/plans/usage/mode: "sfot" is none of hard, soft, shadow – did you mean `soft`?',
    ],
  },
  {
    name: 'users in groups that are not there, twice, or too many',
    text: `${ORG}    groups: { dev: }
    users:
      ana: { groups: [deb] }
      eva: { groups: [dev, dev] }
      max: { groups: [7] }
      tim: { groups: [${Array.from({ length: 65 }, () => 'dev').join()}] }
`,
    lines: [
      '6:23 /orgs/acme/users/ana/groups/0: group `deb` not found – did you mean `dev`?',
      '7:22 /orgs/acme/users/eva/groups: contains duplicates – write a list of at most 64 groups of the org',
      '8:23 /orgs/acme/users/max/groups/0: 7 is not text – put it in quotes',
      '9:22 /orgs/acme/users/tim/groups: a list is out of bounds – write a list of at most 64 groups of the org',
    ],
  },
  {
    name: 'limits',
    text: `${ORG}    plans: { usage: { allowance: 10 } }
    users: { ana: }
    groups: { dev: }
    limits:
      - { user: ana, quota: usage, percent: 20 }
      - { user: ana, quota: usage, units: 5 }
      - { group: dev, quota: lds, percent: 20 }
      - { group: deb, quota: lds, units: 0 }
      - { user: anna, quota: usage, units: 0.05 }
      - { user: ana, quota: lsd, percent: 0.000001 }
      - { user: ana, group: dev, quota: lds, units: 1 }
      - { quota: lds, units: 1 }
      - { user: ana, quota: lds, units: 1, percent: 1 }
      - { group: ana, quota: usage, units: 1 }
      - { group: dev, quota: toString, percent: 100.00001 }
`,
    lines: [
      '9:9 /orgs/acme/limits/1: this subject has a limit for `usage` already: /orgs/acme/limits/0 – remove one of the two',
      '10:44 /orgs/acme/limits/2/percent: the org has no plan for `lds`, so there is no pool – add the plan',
      '11:18 /orgs/acme/limits/3/group: group `deb` not found – did you mean `dev`?',
      '11:42 /orgs/acme/limits/3/units: 0 is not an amount above zero – write a decimal number > 0, with no more decimals than the quota has',
      '12:17 /orgs/acme/limits/4/user: user `anna` not found – did you mean `ana`?',
      '12:44 /orgs/acme/limits/4/units: 0.05 has more decimals than `usage`, which has 1 – write a multiple of 0.1, or raise the decimals of `usage`',
      '13:29 /orgs/acme/limits/5/quota: quota `lsd` not found – did you mean `lds`?',
      '13:43 /orgs/acme/limits/5/percent: 0.000001 is not a percent of the pool – write a decimal number > 0 and ≤ 100, at most 5 decimals',
      '14:22 /orgs/acme/limits/6/group: `group` cannot be combined with `user` – keep one of the two',
      '15:9 /orgs/acme/limits/7/user: `user` is missing – add `user`: 1 to 256 bytes of text',
      '16:9 /orgs/acme/limits/8: this subject has a limit for `lds` already: /orgs/acme/limits/6 – remove one of the two',
      '16:44 /orgs/acme/limits/8/percent: `percent` cannot be combined with `units` – keep one of the two',
      '17:18 /orgs/acme/limits/9/group: group `ana` not found – write one of dev',
      '18:30 /orgs/acme/limits/10/quota: quota `toString` not found – write one of usage, lds',
      '18:49 /orgs/acme/limits/10/percent: 100.00001 is not a percent of the pool – write a decimal number > 0 and ≤ 100, at most 5 decimals',
    ],
  },
  {
    name: 'thresholds',
    text: `${ORG}    thresholds: [0, 50, 101, 50]\n`,
    lines: [
      '4:17 /orgs/acme/thresholds: contains duplicates – write a list of whole numbers from 1 to 100',
      '4:18 /orgs/acme/thresholds/0: 0 is out of bounds – write a whole number from 1 to 100',
      '4:25 /orgs/acme/thresholds/2: 101 is out of bounds – write a whole number from 1 to 100',
    ],
  },
]);

t.test('a file with ten mistakes of all kinds reports all ten, in order', async (t) => {
  const text = `server: { gateway: here }
stroe: {}
identity:
  trusted: { peers: [127.0.0.1/32] }
  unknownUsers: allow
quotas:
  usage: { decimals: 1 }
  usage: { decimals: 2, unit: 5 }
upstreams: { maps: { url: "http://maps" } }
routes:
  - match: GET /a/*
    action: a
    upstream: map
    charges: [{ quota: usage, units: 0.123 }]
  - { match: GET /a/b, action: b, upstream: maps, charges: [] }
orgs:
  acme:
    cycle: { timeZone: Nowhere }
    plans: { lds: { allowance: 1 } }
`;
  const places = mistakesOf(text).map(({ line, column, path }) => `${line}:${column} ${path}`);
  t.strictSame(places, [
    '1:20 /server/gateway',
    '2:1 /stroe',
    '5:17 /identity/unknownUsers',
    '8:3 /quotas/usage',
    '8:31 /quotas/usage/unit',
    '13:15 /routes/0/upstream',
    '14:38 /routes/0/charges/0/units',
    '15:14 /routes/1/match',
    '18:24 /orgs/acme/cycle/timeZone',
    '19:14 /orgs/acme/plans/lds',
  ]);
});

t.test('what is broken causes no second mistake', async (t) => {
  const text = `quotas: { usage: 5 }
upstreams: { maps: { url: 7 } }
identity: { trusted: 5 }
routes:
  - { match: GET /, action: a, upstream: maps, charges: [{ quota: usage, units: 0.1 }] }
  - { match: 5, action: b, upstream: maps, charges: [{ quota: usage, units: 1 }] }
orgs: { acme: { plans: { usage: 5 }, users: { ana: 5 }, limits: [{ user: ana, quota: usage, percent: 5 }] } }
`;
  t.strictSame(
    mistakesOf(text).map(({ path }) => path),
    [
      '/quotas/usage',
      '/upstreams/maps/url',
      '/identity/trusted',
      '/routes/1/match',
      '/orgs/acme/plans/usage',
      '/orgs/acme/users/ana',
    ],
  );
});

t.test('a file that unfolds without end is refused', async (t) => {
  const nine = (name: string) => `[${Array(9).fill(`*${name}`).join()}]`;
  const text = `a: &a [x]\nb: &b ${nine('a')}\nc: &c ${nine('b')}\nd: &d ${nine('c')}\ne: ${nine('d')}\n`;
  const [mistake] = mistakesOf(text);
  t.equal(mistake?.hint, 'use fewer aliases');
});
