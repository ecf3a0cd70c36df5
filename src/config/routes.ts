/** The schema of quotas, and of routes and their charges. */
import Type from 'typebox';
import { CHARGES_MAX } from '../quota/charge.js';
import { DECIMALS_MAX } from '../quota/units.js';
import { Llm } from './llm.js';
import {
  amount,
  header,
  match,
  name,
  oneOf,
  plainPath,
  pointer,
  section,
  statuses,
  whole,
  words,
} from './schema-types.js';
import { whenDown } from './store.js';

const MEBIBYTE = 1_048_576;

export const Quota = section({
  unit: words({ default: 'units', description: 'Name of the unit.' }),
  decimals: whole(0, DECIMALS_MAX, {
    default: 0,
    description: 'Decimals of an amount. They cannot change once something is counted.',
  }),
  counts: Type.Array(statuses({}), {
    default: ['200-299'],
    expects: 'a list of statuses and ranges, such as [200-299, 404]',
    description: 'Upstream responses that are charged; all others are free.',
  }),
});

export const quota = name({ description: 'Name of a quota under `quotas`.' });

const Units = Type.Union(
  [
    amount({}),
    section({ header: header({ description: 'Charges the amount in this request header.' }) }),
    section({
      json: pointer({ description: 'Charges the number at this place in the request’s JSON body.' }),
      default: Type.Optional(
        amount({
          description: 'Charged where that place is missing or null. Left out: such requests are refused.',
        }),
      ),
    }),
    section({
      jsonLength: pointer({
        description: 'Charges the length of the array at this place in the request’s JSON body.',
      }),
    }),
  ],
  {
    expects: 'an amount, or one of { header: … }, { json: … }, { jsonLength: … }',
    description: 'What one request costs: a fixed amount, or where to read the cost.',
  },
);

const AnswerUnits = Type.Union(
  [
    section({ responseHeader: header({ description: 'Charges the amount in this response header.' }) }),
    section({
      responseJson: pointer({
        description:
          'Charges the number at this place in the response: a JSON body, server-sent events or JSON lines.',
      }),
      across: oneOf(['last', 'sum'], {
        default: 'last',
        description: 'If several events or lines have the number: charge the last one, or their sum.',
      }),
    }),
    section({ bytes: oneOf(['out'], { description: 'Charges the bytes of the response body.' }) }),
  ],
  {
    expects: 'one of { responseHeader: … }, { responseJson: …, across: … }, { bytes: out }',
    description: 'A cost that is known from the response only.',
  },
);

export const Charge = Type.Union([
  section({ quota, units: Units }),
  section({
    quota,
    units: AnswerUnits,
    hold: amount({ description: 'Held until the response reports the cost; charged if it reports none.' }),
    floor: amount({ default: 0, description: 'The least that a counted response is charged.' }),
  }),
  section({ quota, llm: Llm }),
  section({
    quota,
    gate: Type.Literal(true, {
      expects: 'true',
      description: 'Charges nothing, but refuses the request if the quota is exhausted.',
    }),
  }),
]);

const routeMatch = match({
  description:
    'Method (`*`: any) and path: exact segments, `:name` for any one segment, `/*` at the end for any rest, `:name:verb` at the ' +
    'end for any segment that ends in `:verb` (`POST /v1beta/models/:model:generateContent`). ' +
    'The first route that matches wins.',
});
const upstream = name({ description: 'Name of an upstream under `upstreams`.' });
const stripPrefix = Type.Optional(
  plainPath({
    expects: 'exact segments that `match` begins with, such as /v3',
    description:
      'Removed from the path that the upstream receives: with `/v3`, `/v3/maps/1` becomes `/maps/1`.',
  }),
);

export const MeteredRoute = section({
  match: routeMatch,
  identity: oneOf(['required'], {
    default: 'required',
    description:
      '`required`: requests without identity are refused. `none`: the route is free and anonymous.',
  }),
  action: name({ description: 'Name of this route for admins.' }),
  upstream,
  stripPrefix,
  charges: Type.Array(Charge, {
    maxItems: CHARGES_MAX,
    expects: `a list of at most ${CHARGES_MAX} charges ([] for a route that is free)`,
    description: 'What a request costs. Either all charges are reserved, or none.',
  }),
  bodyLimitBytes: whole(0, 64 * MEBIBYTE, {
    default: 4 * MEBIBYTE,
    description:
      'Largest request body where the gateway must read it: to find the cost, or to compare calls with a key under `replayHeader`. Such bodies are buffered in memory.',
  }),
  replayHeader: Type.Optional(
    section({
      name: header({
        description:
          'Header with which the upstream marks a response as the replay of an earlier one for the same `Idempotency-Key`. Such a ' +
          'response is free if this process charged the same call (user, key, method, path, query, body) in full within the ' +
          'last 24 hours; otherwise it is charged. A process keeps its last 100,000 such calls, in memory only.',
      }),
      value: words({ default: 'true', description: 'Value of that header in a replay, in any case.' }),
    }),
  ),
  whenDown: Type.Optional(whenDown({ description: 'Overrides `store.whenDown` for this route.' })),
});

export const FreeRoute = section({
  match: routeMatch,
  identity: oneOf(['none'], {
    description:
      '`required`: requests without identity are refused. `none`: the route is free and anonymous.',
  }),
  action: Type.Optional(name({ description: 'Name of this route for admins.' })),
  upstream,
  stripPrefix,
  charges: Type.Array(Charge, {
    default: [],
    maxItems: 0,
    expects: '[]: an anonymous route is free',
    description: 'What a request costs. Either all charges are reserved, or none.',
  }),
});
