// A skipped test is named with its file, its parents and its reason.
import t from 'tap';
import { leftOut } from './left-out.js';

const RUN = `TAP version 14
# Subtest: dist/test/ledger/store-meta.test.js
    # Subtest: embedded
        ok 1 - it is no org
        1..1
    ok 1 - embedded # time=1ms
    ok 2 - Redis # SKIP redis-server is not installed
    1..2
ok 1 - dist/test/ledger/store-meta.test.js # time=2ms
# Subtest: dist/test/a.test.js
    # Subtest: outer
        ok 1 - inner # SKIP
        not ok 2 - fails
        1..2
    not ok 1 - outer
    ok 2 - other # SKIP redis-server is not installed
    1..2
not ok 2 - dist/test/a.test.js
1..2
`;

t.same(
  [...leftOut(RUN)],
  [
    ['redis-server is not installed', ['test/ledger/store-meta.test.ts › Redis', 'test/a.test.ts › other']],
    ['no reason given', ['test/a.test.ts › outer › inner']],
  ],
);
t.same([...leftOut('TAP version 14\nok 1 - all\n1..1\n')], []);
