// A renewal prolongs a hold, notes its progress and gets all it asks for on top, or nothing of it.
import {
  BEGIN_MS,
  cycleOf,
  fixed,
  held,
  onBoth,
  renew,
  reserve,
  START,
  settle,
  TTL_MS,
  tightOf,
} from '../../support/ledgers.js';

const BOOK = {
  plans: { usage: 100, lds: 10 },
  users: { ana: 'a:g1' },
  groups: ['g1'],
  limits: { 'usage:g:g1': 30 },
};
const TEN = reserve('ana', held('usage', 10), { hold: 'h' });

onBoth('it lives from the renewal on, by the store clock', BOOK, async (t, book) => {
  await book.do(TEN);
  await book.at(BEGIN_MS + TTL_MS - 1);
  t.same(await book.told([renew('h', 3)]), ['renewed']);
  await book.at(BEGIN_MS + 2 * TTL_MS - 2);
  t.match(await book.apply([]), { expired: 0 });
  await book.at(BEGIN_MS + 2 * TTL_MS - 1);
  t.match(await book.apply([]), { expired: 1 });
  t.equal(await book.line('usage:u:ana'), '3+0');
});

onBoth('more is held on every line where there is room', BOOK, async (t, book) => {
  t.same(await book.told([TEN, renew('h', 3, 20)]), ['admitted', 'renewed']);
  for (const line of ['usage:u:ana', 'usage:g:g1', 'usage:o']) t.equal(await book.line(line), '0+30');
  t.match(await book.do(settle('h', 30)), { overshoot: [0] });
  t.equal(await book.line('usage:g:g1'), '30+0');
});

onBoth('without room nothing more is held, and the hold is renewed all the same', BOOK, async (t, book) => {
  await book.told([TEN, reserve('ana', fixed('usage', 5))]);
  await book.at(BEGIN_MS + 10);
  const refused = await book.do(renew('h', 4, 16));
  t.match(refused, {
    status: 'refused',
    reason: 'held',
    groups: 'g1',
    violated: [
      { quota: 'usage', scope: 'group', group: 'g1', limit: 30, consumed: 5, held: 10, requested: 16 },
    ],
  });
  t.match(tightOf(refused), [{ quota: 'usage', scope: 'group', limit: 30, remaining: 15 }]);
  t.equal(await book.line('usage:u:ana'), '5+10');
  await book.at(BEGIN_MS + TTL_MS + 9);
  t.match(await book.apply([]), { expired: 0 });
  await book.at(BEGIN_MS + TTL_MS + 10);
  await book.call([]);
  t.equal(await book.line('usage:u:ana'), '9+0', 'the progress was noted');
});

onBoth('spent is told from held', BOOK, async (t, book) => {
  await book.told([TEN, reserve('ana', fixed('usage', 20))]);
  t.match(await book.do(renew('h', 0, 11)), { status: 'refused', reason: 'spent' });
  t.match(await book.do(renew('h', 0, 10)), { status: 'refused', reason: 'held' });
});

onBoth('of several items all get more, or none', BOOK, async (t, book) => {
  const both = reserve('ana', [held('usage', 10), fixed('ai', 1), held('lds', 5)], { hold: 'h' });
  await book.commit({ set: 'org', field: 'plan:ai', value: '9:h' });
  await book.do(both);
  const quotas = ['usage', 'ai', 'lds'];
  const refused = await book.do(renew('h', 0, 0, { quotas, units: [1, 1, 1], more: [5, 0, 6] }));
  t.match(refused, { status: 'refused', violated: [{ quota: 'lds', scope: 'org', requested: 6 }] });
  t.same(
    tightOf(refused).map((one) => one.quota),
    ['usage', 'lds'],
  );
  t.equal(await book.line('usage:o'), '0+10');
  t.same(await book.told([renew('h', 0, 0, { quotas, units: [1, 1, 1], more: [0, 0, 5] })]), ['renewed']);
  t.equal(await book.line('lds:o'), '0+10');
  t.equal(await book.line('ai:o'), '1+0');
});

onBoth('an extension in a closed cycle lies on that cycle', BOOK, async (t, book) => {
  await book.do(reserve('ana', held('usage', 10), { hold: 'h', ttlMs: 2_000_000 }));
  await book.at(2_000_000);
  const second = { cycles: [cycleOf(2), START] };
  t.same(await book.told([reserve('ana', fixed('usage', 30)), renew('h', 0, 20), renew('h', 0, 1)], second), [
    'admitted',
    'renewed',
    'held',
  ]);
  t.equal(await book.line('usage:g:g1', START.start), '0+30');
  t.equal(await book.line('usage:g:g1', 2_000_000), '30+0');
});

onBoth('a cycle that the call does not name leaves its holds as they are', BOOK, async (t, book) => {
  await book.do(reserve('ana', held('usage', 10), { hold: 'h', ttlMs: 2_000_000 }));
  await book.at(2_000_000);
  await book.call([], { cycles: [cycleOf(2), START] });
  const before = await book.dump();
  const ops = [settle('h', 1), renew('h', 1, 1), { kind: 'release', hold: 'h', keep: true } as const];
  t.same(await book.told(ops, { cycles: [cycleOf(2)] }), ['other-cycle', 'other-cycle', 'other-cycle']);
  t.equal(await book.dump(), before);
});

onBoth(
  'due but not yet expired, it is renewed and does not expire while room is sought',
  BOOK,
  async (t, book) => {
    await book.do(TEN);
    await book.at(BEGIN_MS + TTL_MS);
    const reply = await book.apply([renew('h', 2, 25)], { expireMost: 0 });
    t.match(reply, { expired: 0, results: [{ status: 'refused', reason: 'held' }] });
    t.equal(await book.line('usage:u:ana'), '0+10');
    t.same(await book.told([renew('h', 2, 20), settle('h', 25)]), ['renewed', 'settled']);
    t.equal(await book.line('usage:u:ana'), '25+0');
  },
);

onBoth('an unknown hold is not renewed', BOOK, async (t, book) => {
  t.same(await book.told([renew('h', 1, 1)]), ['unknown-hold']);
});
