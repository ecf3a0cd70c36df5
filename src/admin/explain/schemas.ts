/** The explanation of a user's limits as the API shows it. */
import Type from 'typebox';
import { Amount, named, orNull } from '../http/schema.js';
import { members } from '../http/validate.js';

const limit = {
  scope: Type.Enum(['user', 'group', 'org']),
  subject: Type.String(),
  mode: Type.Enum(['hard', 'soft', 'shadow']),
  limit: Amount,
  consumed: Amount,
  held: Amount,
  remaining: Amount,
};
const LIMIT = {
  scope: 'group',
  subject: 'eng',
  mode: 'hard',
  limit: 1_000,
  consumed: 240.5,
  held: 0,
  remaining: 759.5,
};

const ExplainedLimit = named('ExplainedLimit', limit, LIMIT);

const ExplainedQuota = named(
  'ExplainedQuota',
  {
    quota: Type.String(),
    blocked: Type.Boolean(),
    binding: orNull(ExplainedLimit),
    why: Type.String(),
    limits: Type.Array(ExplainedLimit),
  },
  {
    quota: 'usage',
    blocked: false,
    binding: LIMIT,
    why: 'the limit of group eng has the least remaining: 759.5',
    limits: [LIMIT],
  },
);

export const Explanation = members({
  user: Type.String(),
  status: Type.String(),
  groups: Type.Array(Type.String()),
  action: orNull(Type.String()),
  blocked: Type.Boolean(),
  quotas: Type.Array(ExplainedQuota),
});
