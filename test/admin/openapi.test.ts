// The OpenAPI document is valid, complete, and what the API does; its page needs nothing from elsewhere.
import { Validator } from '@seriousme/openapi-schema-validator';
import t from 'tap';
import Value from 'typebox/value';
import { ENDPOINTS } from '../../src/admin/endpoints.js';
import { errorsOf, statusOf } from '../../src/admin/http/errors-of.js';
import { openApiOf } from '../../src/admin/http/openapi.js';
import { type Json, startAcme } from './support.js';

const DOCUMENT = openApiOf(ENDPOINTS) as Json;

t.test('the document is served without a token, and is valid OpenAPI 3.1', async (t) => {
  const { url } = await startAcme(t);
  const answer = await fetch(`${url}/v1/openapi.json`);
  t.match(answer.headers.get('content-type'), /^application\/json/);
  const served = await answer.json();
  t.strictSame(served, JSON.parse(JSON.stringify(DOCUMENT)));
  const validator = new Validator();
  t.match(await validator.validate(served as Json), { valid: true, errors: undefined });
  t.equal(validator.version, '3.1');
});

t.test('every endpoint is in it once, with its errors and an example of its body', async (t) => {
  const operations = Object.values<Json>(DOCUMENT.paths).flatMap((path) => Object.values<Json>(path));
  t.same(operations.map(({ operationId }) => operationId).sort(), ENDPOINTS.map(({ id }) => id).sort());
  t.equal(new Set(ENDPOINTS.map(({ id }) => id)).size, ENDPOINTS.length, 'ids are unique');
  for (const endpoint of ENDPOINTS) {
    const { id, body, example, answers } = endpoint;
    const operation = operations.find(({ operationId }) => operationId === id);
    const statuses = new Set(errorsOf(endpoint).map((code) => String(statusOf(endpoint, code))));
    t.same(Object.keys(operation.responses).sort(), [...Object.keys(answers), ...statuses].sort(), id);
    if (body !== undefined) t.same(Value.Errors(body, example), [], `${id}: its example is valid`);
  }
});

t.test('every named schema has an example that it accepts', async (t) => {
  const titled = new Map<string, Json>();
  const collect = (schema: Json): void => {
    if (typeof schema !== 'object' || schema === null) return;
    if (typeof schema.title === 'string') titled.set(schema.title, schema);
    for (const [key, value] of Object.entries(schema)) if (key !== 'examples') collect(value);
  };
  for (const { answers } of ENDPOINTS) Object.values(answers).forEach(collect);
  const { Problem, ScimError, ...schemas } = DOCUMENT.components.schemas;
  t.same([...titled.keys()].sort(), Object.keys(schemas).sort());
  for (const [title, schema] of titled) {
    t.equal(schema.examples.length, 1, title);
    t.same(Value.Errors(schema, schema.examples[0]), [], `${title}: its example is valid`);
    const shown = Object.keys(schema.examples[0]);
    for (const name of schema.required) t.ok(shown.includes(name), `${title}: ${name} is in the example`);
  }
});

t.test('the page and all that it loads come from this server, under a strict policy', async (t) => {
  const { url } = await startAcme(t);
  const page = await fetch(`${url}/v1/docs/`);
  t.equal(page.status, 200);
  const policy = page.headers.get('content-security-policy') ?? '';
  t.match(policy, /default-src 'none'/);
  t.match(policy, /script-src 'self';/);
  t.notMatch(policy, /https?:|\*|upgrade-insecure-requests/);
  const html = await page.text();
  const assets = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path = '']) => path);
  t.ok(assets.length >= 4);
  t.notMatch(html, /<script(?![^>]*src)[^>]*>[^<]/, 'no inline script');
  for (const path of assets) {
    t.notMatch(path, /^(https?:)?\/\//, path);
    const asset = await fetch(new URL(path, `${url}/v1/docs/`));
    t.equal(asset.status, 200, path);
    // A body that is not read keeps its connection, and the server from closing.
    await asset.arrayBuffer();
  }
  t.notMatch(
    await (await fetch(`${url}/v1/docs/static/swagger-initializer.js`)).text(),
    /validator\.swagger\.io/,
  );
  t.strictSame(await (await fetch(`${url}/v1/docs/json`)).json(), JSON.parse(JSON.stringify(DOCUMENT)));
  for (const path of ['static/none.js', 'none']) {
    const { status, headers } = await fetch(`${url}/v1/docs/${path}`);
    t.equal(status, 404, path);
    t.match(headers.get('content-type'), /^application\/problem\+json/, path);
  }
});
