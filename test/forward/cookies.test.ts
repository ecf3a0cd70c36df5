// Browsers send the console's cookie to every port of a host: the gateway keeps it from the upstream.
import t from 'tap';
import { headersOf } from '../support/raw.js';
import { TestUpstream } from '../support/upstream.js';
import { Relay } from './relay.js';

t.test('the console’s cookie never travels, all others do as they are', async (t) => {
  const upstream = await TestUpstream.start();
  t.teardown(() => upstream.close());
  const client = await (await Relay.start(t, upstream.url)).connect(t);
  const cookies = async (...values: string[]) => {
    const lines = values.map((value) => `Cookie: ${value}`);
    const head = ['GET / HTTP/1.1', 'Host: gateway.test', ...lines, '', ''];
    await client.write(head.join('\r\n')).answer();
    return headersOf(upstream.log.at(-1)?.rawHeaders ?? [], 'cookie');
  };
  const ours = '__Host-quotagate=qgs_1_2_3';
  t.same(await cookies('a=1;b=2; c="x;y"'), ['a=1;b=2; c="x;y"']);
  t.same(await cookies(ours), []);
  t.same(await cookies(`a=1; ${ours}; b=2`), ['a=1; b=2']);
  t.same(await cookies(`${ours};a=1;${ours}`), ['a=1']);
  t.same(await cookies(`a=1; ${ours}`, 'b=2', ours), ['a=1', 'b=2']);
  t.same(await cookies('__Host-quotagate2=1; x=__Host-quotagate'), [
    '__Host-quotagate2=1; x=__Host-quotagate',
  ]);
});
