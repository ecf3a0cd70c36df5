// What an event says of a journal line that no other test makes.
import t from 'tap';
import { eventsOf } from '../../src/export/events.js';
import { decodeJournal } from '../../src/ledger/codec.js';

const CONTEXT = { org: 'acme', source: 'eu', decimalsOf: () => 1 };

function eventOf(text: string) {
  const [event = '{}'] = eventsOf(CONTEXT, '1764000000000-5', decodeJournal(text));
  return JSON.parse(event);
}

t.test('a refund has negative units', async (t) => {
  t.match(eventOf('1764000000000|ana|g1,g2|maps|usage=-25|'), {
    type: 'quotagate.refund',
    data: { user: 'ana', groups: ['g1', 'g2'], units: -2.5, raw: -2.5 },
  });
});

t.test('tokens that cost nothing are a charge of 0', async (t) => {
  t.match(eventOf('1764000000000|ana||chat|ai=0||k1|gpt%2F5|70'), {
    type: 'quotagate.charge',
    data: { units: 0, raw: 7, key: 'k1', model: 'gpt/5', estimated: false },
  });
});

t.test('a count of refused requests names whose limit it was', async (t) => {
  const event = eventOf('1764000000000|ana||maps|usage=0|r|g|eng|12');
  t.match(event, { type: 'quotagate.refusal', data: { scope: 'group', group: 'eng', count: 12 } });
  t.notOk('units' in event.data);
});

t.test('each event of an entry has an id of its own', async (t) => {
  const text = '1764000000000|ana||maps|usage=1,lds=2|\n1764000000000|bob||maps|usage=1|';
  t.same(
    eventsOf(CONTEXT, '1764000000000-5', decodeJournal(text)).map((event) => JSON.parse(event).id),
    ['1764000000000-5.0.0', '1764000000000-5.0.1', '1764000000000-5.1.0'],
  );
});
