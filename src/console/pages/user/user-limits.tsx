/** The limits that apply to a user, of each quota, and which one binds first. */
import { Pencil, Plus, Timer } from 'lucide-preact';
import { api, type Schemas } from '../../api/client.js';
import { useQuery } from '../../api/query.js';
import { nameOf } from '../../api/subjects.js';
import { amount, quotaName } from '../../format/amounts.js';
import { texts } from '../../i18n/index.js';
import { linkToPage } from '../../pages.js';
import { LimitDialog } from '../../parts/limits/limit-dialog.js';
import { type User, useGroups } from '../../parts/users/user.js';
import { queryOf, setQuery } from '../../router.js';
import { type QuotaOverview, useOrg } from '../../state/org.js';
import { may } from '../../state/session.js';
import { Badge } from '../../ui/badge.js';
import { Button } from '../../ui/button.js';
import { Card } from '../../ui/card.js';
import { Loaded } from '../../ui/states.js';

type Explained = Schemas['ExplainedQuota'];
type ExplainedLimit = Schemas['ExplainedLimit'];

export function LimitsTab({ user }: { readonly user: User }) {
  const { id: org, quotas } = useOrg();
  const query = useQuery({
    key: `explain ${org} ${user.id}`,
    kinds: ['directory', 'consumption'],
    read: (options) =>
      api.GET('/v1/orgs/{org}/explain', {
        params: { path: { org }, query: { user: user.id } },
        ...options,
      }),
  });
  const set = quotas.find(({ quota }) => quota === queryOf('set'));
  return (
    <>
      <Loaded query={query}>
        {(data) =>
          quotas.map((quota) => {
            const explained = data.quotas.find((one) => one.quota === quota.quota);
            return (
              explained && <QuotaLimits key={quota.quota} user={user} quota={quota} explained={explained} />
            );
          })
        }
      </Loaded>
      {set !== undefined && may('createLimit') && (
        <LimitDialog
          quota={set.quota}
          subject={{ scope: 'user', id: user.id, name: nameOf(user) }}
          onClose={() => setQuery({ set: undefined })}
        />
      )}
    </>
  );
}

interface QuotaLimitsProps {
  readonly user: User;
  readonly quota: QuotaOverview;
  readonly explained: Explained;
}

function QuotaLimits({ user, quota, explained }: QuotaLimitsProps) {
  const { user: text } = texts.value;
  const { binding, limits } = explained;
  const isBinding = (one: ExplainedLimit): boolean =>
    binding !== null && one.scope === binding.scope && one.subject === binding.subject;
  return (
    <Card
      title={text.limits.caption(quotaName(quota.quota))}
      action={<LimitButtons user={user} quota={quota.quota} />}
    >
      {limits.length === 0 ? (
        <p>{text.limits.none}</p>
      ) : (
        <table class="table">
          <caption class="visually-hidden">{text.limits.caption(quotaName(quota.quota))}</caption>
          <thead>
            <tr>
              <th scope="col">{text.limits.whose}</th>
              <th scope="col">{text.limits.mode}</th>
              <th scope="col" class="numeric">
                {text.limits.limit}
              </th>
              <th scope="col" class="numeric">
                {text.limits.consumed}
              </th>
              <th scope="col" class="numeric">
                {text.limits.left}
              </th>
            </tr>
          </thead>
          <tbody>
            {limits.map((limit) => (
              <LimitRow
                key={`${limit.scope} ${limit.subject}`}
                limit={limit}
                unit={quota.unit}
                binding={isBinding(limit)}
              />
            ))}
          </tbody>
        </table>
      )}
    </Card>
  );
}

interface LimitRowProps {
  readonly limit: ExplainedLimit;
  readonly unit: string;
  readonly binding: boolean;
}

function LimitRow({ limit, unit, binding }: LimitRowProps) {
  const { limits: text } = texts.value.user;
  return (
    <tr>
      <td data-label={text.whose}>
        <div class="badges">
          <SubjectName limit={limit} />
          {binding && <Badge tone={limit.remaining <= 0 ? 'bad' : 'accent'}>{text.binding}</Badge>}
        </div>
      </td>
      <td data-label={text.mode}>{text.modes[limit.mode]}</td>
      <td data-label={text.limit} class="numeric">
        {amount(limit.limit, unit)}
      </td>
      <td data-label={text.consumed} class="numeric">
        {amount(limit.consumed)}
      </td>
      <td data-label={text.left} class="numeric">
        {amount(Math.max(0, limit.remaining))}
      </td>
    </tr>
  );
}

function SubjectName({ limit: { scope, subject } }: Pick<LimitRowProps, 'limit'>) {
  const { id: org } = useOrg();
  const { scopes } = texts.value.user.limits;
  const groups = useGroups();
  if (scope !== 'group') return <>{scopes[scope]}</>;
  const href = linkToPage('group', { org, group: subject });
  const name = groups.get(subject) ?? subject;
  return (
    <span>
      {scopes.group} {href === undefined ? name : <a href={href}>{name}</a>}
    </span>
  );
}

function LimitButtons({ user, quota }: { readonly user: User; readonly quota: string }) {
  const { user: text, limits } = texts.value;
  const limit = user.quotas[quota]?.limit ?? null;
  if (limit === null)
    return (
      may('createLimit') && (
        <Button size="small" icon={Plus} onClick={() => setQuery({ set: quota })}>
          {text.setLimit}
        </Button>
      )
    );
  return (
    <div class="row">
      {may('raiseLimit') && (
        <Button size="small" icon={Timer} onClick={() => setQuery({ raise: limit })}>
          {limits.raise}
        </Button>
      )}
      {may('changeLimit') && (
        <Button size="small" icon={Pencil} onClick={() => setQuery({ edit: limit })}>
          {text.changeLimit}
        </Button>
      )}
    </div>
  );
}
