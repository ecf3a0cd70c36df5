// What is counted in plain numbers is shown as Prometheus' text format wants it.
import { Registry } from 'prom-client';
import t from 'tap';
import { counters, gauges, histograms } from '../../src/observe/metric-store.js';

t.test('a spread is shown as a histogram: buckets add up, bounds belong to the bucket below', async (t) => {
  const registry = new Registry();
  const histogram = histograms(
    registry,
    { name: 'wait_seconds', help: 'Waits', labels: ['kind'] },
    [0.1, 1],
  )('a "b"');
  for (const value of [0.05, 0.1, 0.5, 2]) histogram.note(value);
  t.equal(
    await registry.metrics(),
    `# HELP wait_seconds Waits
# TYPE wait_seconds histogram
wait_seconds_bucket{kind="a \\"b\\"",le="0.1"} 2
wait_seconds_bucket{kind="a \\"b\\"",le="1"} 3
wait_seconds_bucket{kind="a \\"b\\"",le="+Inf"} 4
wait_seconds_sum{kind="a \\"b\\""} 2.65
wait_seconds_count{kind="a \\"b\\""} 4
`,
  );
});

t.test('a counter with the same labels is the same object, and keeps its value after a scrape', async (t) => {
  const registry = new Registry();
  const counter = counters(registry, { name: 'seen_total', help: 'Seen', labels: ['what', 'why'] });
  counter('a', 'b').add();
  t.match(await registry.metrics(), /^seen_total\{what="a",why="b"\} 1$/m);
  counter('a', 'b').add(2);
  counter('b', 'a').add(0.5);
  const text = await registry.metrics();
  t.match(text, /^seen_total\{what="a",why="b"\} 3$/m);
  t.match(text, /^seen_total\{what="b",why="a"\} 0.5$/m);
});

t.test('a reading is what there is now', async (t) => {
  const registry = new Registry();
  const now: [Record<string, string>, number][] = [[{ at: 'x' }, 1]];
  gauges(registry, { name: 'level', help: 'Level', labels: ['at'] }, () => now);
  t.match(await registry.metrics(), /^level\{at="x"\} 1$/m);
  now[0] = [{ at: 'y' }, 2];
  const text = await registry.metrics();
  t.match(text, /^level\{at="y"\} 2$/m);
  t.notMatch(text, 'at="x"', 'what has gone is not shown');
});
