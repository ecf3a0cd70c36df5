// A client that did not ask for usage gets what the upstream would have sent without it, to the byte; one that asked, all of it.
import { gunzipSync } from 'node:zlib';
import t from 'tap';
import { APIS, factsOf, post } from './raw.js';
import { setUp, totalOf } from './support.js';

const WAYS = [
  'tokens=40',
  'tokens=40 split=5',
  'tokens=40 crlf',
  'tokens=40 comments',
  'tokens=3 burst',
  'tokens=0',
];

t.test('what the client gets', async (t) => {
  const bed = await setUp(t);
  let consumed = 0;
  const both = async (path: string, body: unknown, fields = {}) => {
    const headers = { ...fields };
    const direct = await post(bed.sample.url + path, { body, headers });
    const through = await post(bed.url + path, { body, headers: { ...bed.headers, ...headers } });
    consumed += totalOf(bed.last().usage);
    return { direct: numbered(direct.body), through: numbered(through.body), headers: through.headers };
  };
  for (const { api, path, streamPath = path, body, refusesUnknown } of APIS) {
    for (const way of WAYS) {
      const { direct, through } = await both(streamPath, body(`[[${way}]]`, true));
      t.equal(through, direct, `${api} stream ${way}`);
      const json = await both(path, body(`[[${way}]]`, false));
      t.equal(json.through, json.direct, `${api} JSON ${way}`);
    }
    for (const wanted of refusesUnknown === true ? [] : [true, false]) {
      const options = { stream_options: { include_usage: wanted } };
      const { direct, through } = await both(streamPath, { ...body('[[tokens=40]]', true), ...options });
      t.equal(through, direct, `${api}, include_usage: ${wanted}`);
    }
  }
  await bed.settles(t, consumed, 'and all of it is charged');
});

t.test('usage that comes unasked, or on chunks of text, is passed on', async (t) => {
  const bed = await setUp(t);
  const { path, body } = factsOf('openai-chat');
  const merged = await post(bed.url + path, {
    body: body('[[tokens=5 usage=merged]]', true),
    headers: bed.headers,
  });
  t.match(merged.body.toString(), /"finish_reason":"stop"\}\],"usage":\{"prompt_tokens"/);
  await bed.settles(t, totalOf(bed.last().usage), 'and read');
});

t.test('no coding that the gateway cannot read', async (t) => {
  const bed = await setUp(t);
  let consumed = 0;
  for (const { api, path, streamPath = path, body } of APIS) {
    for (const coding of ['gzip', 'deflate', 'br']) {
      const headers = { ...bed.headers, 'accept-encoding': `${coding}, zstd` };
      const { headers: got, body: bytes } = await post(bed.url + streamPath, {
        body: body(`[[tokens=40 coding=${coding}]]`, true),
        headers,
      });
      consumed += totalOf(bed.last().usage);
      await bed.settles(t, consumed, `${api} ${coding}`);
      const text = got['content-encoding'] === 'gzip' ? gunzipSync(bytes) : bytes;
      if (got['content-encoding'] === undefined || got['content-encoding'] === 'gzip')
        t.match(text.toString(), /The /, 'the client can read it');
    }
  }
});

/** Without the numbers of requests that stand in ids. */
function numbered(body: Buffer): string {
  return body.toString().replaceAll(/(sample[-_]|rs_|fc_|msg_|call_|toolu_)\d+/g, '$1n');
}
