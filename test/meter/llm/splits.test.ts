// Usage is read to the token, wherever the network splits an answer and whatever ends its lines.
import t from 'tap';
import { SAMPLES } from './answers.js';
import { meterOf, pass, priced } from './drive.js';

for (const sample of SAMPLES) {
  const due = { units: sample.usage.input + sample.usage.output, estimated: false };
  const variants: [string, string | Buffer][] = [['as it is', sample.body]];
  if (typeof sample.body === 'string' && sample.type === 'text/event-stream') {
    const lines = sample.body.replaceAll('\r\n', '\n');
    variants.push(
      ['CRLF', lines.replaceAll('\n', '\r\n')],
      ['CR', lines.replaceAll('\n', '\r')],
      [
        'BOM, comments, fields',
        `\ufeff: hi\nid: 1\nretry: 10\n${lines.replaceAll('data: ', ':\n:x\ndata:')}`,
      ],
      ['no last empty line', lines.trimEnd()],
      ['several data lines', lines.replaceAll('data: {"', 'data: {\ndata:  "')],
    );
  }
  if (typeof sample.body === 'string' && sample.type === 'application/x-ndjson')
    variants.push(['CRLF, empty lines', sample.body.replaceAll('\n', '\r\n\r\n')]);
  for (const [variant, text] of variants) {
    t.test(`${sample.name}, ${variant}: split at every byte`, async (t) => {
      const body = Buffer.from(text);
      const meter = meterOf(sample.api);
      let wrong = 0;
      for (let at = 0; at <= body.length; at += 1) {
        const chunks = [body.subarray(0, at), body.subarray(at)].filter((chunk) => chunk.length > 0);
        const { client, sameChunks, costs, report } = await pass(
          await priced(meter, sample.request, sample.path, { query: sample.query }),
          body,
          { type: sample.type, chunks },
        );
        const isRight =
          client.equals(body) && sameChunks && costs[0]?.units === due.units && !costs[0].estimated;
        if (isRight && JSON.stringify(report?.usage) === JSON.stringify(sample.usage)) continue;
        wrong += 1;
        if (wrong === 1)
          t.strictSame({ at, costs, usage: report?.usage }, { at, costs: [due], usage: sample.usage });
      }
      t.equal(wrong, 0);
      await meter.close();
    });
  }
}
