// Every upstream fault has a defined price: 0 if nothing was served, never 0 if something was, and marked as estimated.
import t from 'tap';
import { ask } from '../support/gateway.js';
import { APIS, post } from './raw.js';
import { type Bed, setUp, totalOf } from './support.js';

const LLM = 'bytesPerToken: 4';

async function estimated(bed: Bed): Promise<number> {
  const { body } = await ask(bed.ops, '/metrics');
  const [, count = '0'] = /^quotagate_answers_estimated_total\{.*\} (\d+)$/m.exec(body) ?? [];
  return Number(count);
}

for (const { api, path, streamPath = path, body, streamUsage } of APIS) {
  t.test(api, async (t) => {
    const bed = await setUp(t, { llm: LLM });
    let consumed = 0;
    /** What it cost, and whether it was estimated. */
    const cost = async (orders: string, stream: boolean) => {
      const before = await estimated(bed);
      const prompt = `Where is the sea? [[${orders}]]`;
      const answer = await post(bed.url + (stream ? streamPath : path), {
        body: body(prompt, stream),
        headers: bed.headers,
      });
      const now = await bed.settled(t);
      const units = now - consumed;
      consumed = now;
      return { units, estimated: (await estimated(bed)) > before, answer, entry: bed.last() };
    };
    for (const stream of [false, true]) {
      const way = stream ? 'stream' : 'JSON';
      for (const status of [400, 429, 500, 529]) {
        const failed = await cost(`status=${status}`, stream);
        t.equal(failed.answer.status, status, `${way}: the upstream's own answer is passed on`);
        t.equal(failed.units, 0, `${way} ${status}: nothing was served`);
      }
      for (const usage of ['none', 'null', 'zero', 'negative', 'text']) {
        const { units, entry, estimated } = await cost(`tokens=40 usage=${usage}`, stream);
        const total = totalOf(entry.usage);
        t.ok(units >= total && units < total * 2, `${way} usage ${usage}: ${units} for ${total}`);
        t.ok(estimated, `${way} usage ${usage}: marked`);
      }
      const truly = await cost('tokens=40', stream);
      t.equal(truly.units, totalOf(truly.entry.usage));
      t.notOk(truly.estimated, `${way}: what was reported is no estimate`);
      const over = await cost('tokens=3000 over burst', stream);
      t.equal(over.units, totalOf(over.entry.usage), `${way}: far above the ceiling, charged in full`);
    }
    const shrinks = await cost('tokens=40 usage=shrinks', true);
    const least = totalOf(shrinks.entry.usage);
    const most = least + (shrinks.entry.usage?.output ?? 0);
    const once = streamUsage === 'at the end';
    t.ok(once ? shrinks.units === least : shrinks.units > least, `a counter never falls: ${shrinks.units}`);
    t.ok(shrinks.units <= most, `a counter never falls: ${shrinks.units} of ${most}`);
    for (const fault of ['cut=20', 'fail=20']) {
      const { units, entry, answer } = await cost(`tokens=40 ${fault}`, true);
      t.equal(answer.whole, fault === 'fail=20');
      const input = entry.usage?.input ?? 0;
      const most = fault === 'cut=20' && streamUsage === 'in each event' ? entry.tokensSent : 40;
      t.ok(units >= 20, `${fault}: ${units} for ${entry.tokensSent} of output`);
      t.ok(units <= 2 * input + most, `${fault}: ${units}`);
    }
    const cut = await cost('tokens=40 cut=30', false);
    t.notOk(cut.answer.whole);
    t.ok(cut.units > 0 && cut.estimated, `a JSON answer that broke off: ${cut.units}`);
    const error = await cost('tokens=40 fail=0', false);
    t.equal(error.answer.status, 200);
    t.ok(error.units > 0, `an error whose status is 200: ${error.units}`);
  });
}
