// A redis-server that ends at start fails the test at once, with what it printed.
import t from 'tap';
import { skipWithoutRedis, startRedis } from './redis.js';

t.test('a setting that Redis refuses', { skip: skipWithoutRedis }, async (t) => {
  await t.rejects(startRedis({ args: ['--no-such-setting', '1'] }), {
    message: /redis-server ended at start \(exit code 1\)[\s\S]*no-such-setting/,
  });
});

t.test('a program that is not installed', async (t) => {
  const missing = '/nonexistent/redis-server';
  await t.rejects(startRedis({ command: missing }), { message: /ended at start \(.*ENOENT/ });
});
