// The common path of apply.lua hides what the full path does with the same calls: the contract and the random histories hold with the
// common path off, too.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { skipWithoutRedis } from '../support/redis.js';
import { FOLDER, runChild } from './child-tests.js';

const SETTINGS = { QUOTAGATE_TEST_FULL_PATH: '1', HISTORIES: '60' };
const FILES = [
  ...readdirSync(join(FOLDER, 'contract'))
    .filter((name) => name.endsWith('.test.js'))
    .map((name) => join('contract', name)),
  'random-histories.test.js',
];

t.test('the same tests pass without the common path', { skip: skipWithoutRedis }, async (t) => {
  let onRedis = 0;
  for (const file of FILES) {
    const result = await runChild(file, SETTINGS);
    onRedis += result.onRedis;
    t.same(result.failed, [], file);
    t.equal(result.code, 0, `${file} ends well`);
  }
  t.ok(onRedis > 100, `${onRedis} tests ran on Redis`);
});
