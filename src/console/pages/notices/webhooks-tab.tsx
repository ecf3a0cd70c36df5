/** The webhooks of the org: where notices are posted, signed with a secret that can be replaced. */
import { Ellipsis, KeyRound, Pencil, Plus, Power, Send, Trash2, Webhook as WebhookIcon } from 'lucide-preact';
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { api, dataOf } from '../../api/client.js';
import { problemIn } from '../../api/problem.js';
import { refresh } from '../../api/query.js';
import { texts } from '../../i18n/index.js';
import { SecretDialog } from '../../parts/secrets/secret-dialog.js';
import { useOrg } from '../../state/org.js';
import { may } from '../../state/session.js';
import { Badge } from '../../ui/badge.js';
import { Button } from '../../ui/button.js';
import { Menu, type MenuItem } from '../../ui/menu.js';
import { usePaging } from '../../ui/paging.js';
import { EmptyState, problemText } from '../../ui/states.js';
import { Table } from '../../ui/table.js';
import { Time } from '../../ui/time.js';
import { toast } from '../../ui/toasts.js';
import { sendTest } from './test-dialog.js';
import { DeleteWebhookDialog, RotateDialog, type Webhook, WebhookDialog } from './webhook-dialogs.js';

type Act = 'edit' | 'rotate' | 'delete';

/** The dialog that is open; without a webhook, a new one is added. */
interface Opened {
  readonly act: Act | 'add';
  readonly webhook?: Webhook;
}

export function WebhooksTab({ webhooks }: { readonly webhooks: readonly Webhook[] }) {
  const { webhooks: text } = texts.value.notices;
  const [opened, open] = useState<Opened | undefined>(undefined);
  const [secret, setSecret] = useState<string | undefined>(undefined);
  const add = may('createWebhook') && (
    <Button icon={Plus} onClick={() => open({ act: 'add' })}>
      {text.add}
    </Button>
  );
  return (
    <>
      {webhooks.length > 0 && <div class="toolbar">{add}</div>}
      <WebhookTable webhooks={webhooks} add={add} open={open} />
      {opened && <OpenDialog opened={opened} onSecret={setSecret} onClose={() => open(undefined)} />}
      {secret !== undefined && (
        <SecretDialog
          title={text.secret.title}
          label={text.secret.label}
          secret={secret}
          onClose={() => setSecret(undefined)}
        >
          {text.secret.text}
        </SecretDialog>
      )}
    </>
  );
}

interface OpenDialogProps {
  readonly opened: Opened;
  readonly onSecret: (secret: string) => void;
  readonly onClose: () => void;
}

function OpenDialog({ opened: { act, webhook }, onSecret, onClose }: OpenDialogProps) {
  if (webhook === undefined || act === 'edit')
    return (
      <WebhookDialog {...(webhook === undefined ? {} : { webhook })} onSecret={onSecret} onClose={onClose} />
    );
  if (act === 'rotate') return <RotateDialog webhook={webhook} onSecret={onSecret} onClose={onClose} />;
  return <DeleteWebhookDialog webhook={webhook} onClose={onClose} />;
}

interface WebhookTableProps {
  readonly webhooks: readonly Webhook[];
  readonly add: ComponentChildren;
  readonly open: (opened: Opened) => void;
}

function WebhookTable({ webhooks, add, open }: WebhookTableProps) {
  const { notices } = texts.value;
  const { webhooks: text } = notices;
  const paging = usePaging('');
  const query = {
    data: { items: webhooks },
    current: true,
    problem: undefined,
    loading: false,
    refresh: () => undefined,
  };
  return (
    <Table<Webhook>
      caption={text.caption}
      query={query}
      paging={paging}
      keyOf={({ id }) => id}
      columns={[
        { id: 'url', label: text.url, cell: ({ url }) => <span class="url">{url}</span> },
        {
          id: 'state',
          label: text.state,
          cell: ({ enabled }) =>
            enabled ? <Badge tone="good">{notices.on}</Badge> : <Badge>{notices.off}</Badge>,
        },
        { id: 'created', label: text.created, cell: ({ createdAt }) => <Time at={createdAt} as="date" /> },
        { id: 'actions', label: '', cell: (webhook) => <ActionsCell webhook={webhook} open={open} /> },
      ]}
      empty={
        <EmptyState icon={WebhookIcon} title={text.empty.title} action={add}>
          {text.empty.text}
        </EmptyState>
      }
    />
  );
}

interface ActionsCellProps {
  readonly webhook: Webhook;
  readonly open: (opened: Opened) => void;
}

function ActionsCell({ webhook, open }: ActionsCellProps) {
  const { id: org } = useOrg();
  const { notices, common } = texts.value;
  const { webhooks: text } = notices;
  const to = (act: Act) => () => open({ act, webhook });
  const items: MenuItem[] = [
    ...(may('sendTestNotice') && webhook.enabled
      ? [{ label: notices.test.open, icon: Send, onSelect: () => void testWebhook(org, webhook) }]
      : []),
    ...(may('changeWebhook')
      ? [
          { label: text.edit, icon: Pencil, onSelect: to('edit') },
          {
            label: webhook.enabled ? text.turnOff : text.turnOn,
            icon: Power,
            onSelect: () => void toggle(org, webhook),
          },
        ]
      : []),
    ...(may('rotateWebhookSecret') ? [{ label: text.rotate, icon: KeyRound, onSelect: to('rotate') }] : []),
    ...(may('deleteWebhook')
      ? [{ label: common.delete, icon: Trash2, kind: 'danger' as const, onSelect: to('delete') }]
      : []),
  ];
  if (items.length === 0) return null;
  return (
    <div class="row-actions">
      <Menu
        label={text.actionsFor(webhook.url)}
        buttonClass="button button-menu"
        button={<Ellipsis size={16} aria-hidden="true" />}
        items={items}
      />
    </div>
  );
}

async function testWebhook(org: string, { id, url }: Webhook): Promise<void> {
  const { test: text } = texts.value.notices;
  try {
    for (const { delivered, error } of await sendTest(org, id))
      if (delivered) toast(text.reached(url));
      else toast(text.failed(error ?? ''), 'bad');
  } catch (error) {
    toast(problemText(problemIn(error)), 'bad');
  }
}

async function toggle(org: string, { id, url, enabled, etag }: Webhook): Promise<void> {
  const { done } = texts.value.notices;
  const params = { path: { org, webhook: id }, header: { 'If-Match': etag } };
  try {
    const body = { enabled: !enabled };
    await dataOf(api.PATCH('/v1/orgs/{org}/notifications/webhooks/{webhook}', { params, body }));
    await refresh('directory');
    toast(enabled ? done.turnedOff(url) : done.turnedOn(url));
  } catch (error) {
    toast(problemText(problemIn(error)), 'bad');
  }
}
