/** Adds or changes a webhook, replaces its secret, or deletes it. */
import { api, dataOf, type Schemas } from '../../api/client.js';
import { refresh } from '../../api/query.js';
import { TextField } from '../../forms/field.js';
import { FormDialog } from '../../forms/form-dialog.js';
import { useForm } from '../../forms/use-form.js';
import { texts } from '../../i18n/index.js';
import { useOrg } from '../../state/org.js';
import { ConfirmDialog } from '../../ui/confirm-dialog.js';
import { toast } from '../../ui/toasts.js';

export type Webhook = Schemas['Webhook'];

const PATH = '/v1/orgs/{org}/notifications/webhooks';
const WEBHOOK_PATH = `${PATH}/{webhook}` as const;

interface DialogProps {
  readonly webhook: Webhook;
  readonly onClose: () => void;
}

interface WithSecret {
  /** Shows the secret, which the API tells only once. */
  readonly onSecret: (secret: string) => void;
}

interface WebhookDialogProps extends WithSecret {
  /** Left out: a new one. */
  readonly webhook?: Webhook;
  readonly onClose: () => void;
}

export function WebhookDialog({ webhook, onSecret, onClose }: WebhookDialogProps) {
  const { id: org } = useOrg();
  const { dialog: text } = texts.value.notices.webhooks;
  const { done } = texts.value.notices;
  const form = useForm({
    initial: { url: webhook?.url ?? '' },
    draft: `webhook ${org} ${webhook?.id ?? ''}`,
    ...(webhook === undefined ? {} : { etag: webhook.etag, reload: () => readAgain(org, webhook.id) }),
    check: ({ url }) => (url.trim() === '' ? { url: text.urlMissing } : {}),
    save: async ({ url }, etag) => {
      const body = { url: url.trim() };
      const header = etag === undefined ? {} : { 'If-Match': etag };
      if (webhook === undefined) {
        const { secret } = await dataOf(api.POST(PATH, { params: { path: { org } }, body }));
        await refresh('directory');
        onClose();
        if (secret !== null) onSecret(secret);
      } else {
        const params = { path: { org, webhook: webhook.id }, header };
        await dataOf(api.PATCH(WEBHOOK_PATH, { params, body }));
        await refresh('directory');
        toast(done.saved);
        onClose();
      }
    },
  });
  const isNew = webhook === undefined;
  return (
    <FormDialog
      form={form}
      title={isNew ? text.title : text.editTitle}
      act={isNew ? text.submit : texts.value.common.save}
      onClose={onClose}
      labels={{ url: text.url }}
    >
      <TextField
        form={form}
        name="url"
        label={text.url}
        help={text.urlHelp}
        input={{ type: 'url', inputMode: 'url', maxLength: 2_000 }}
      />
    </FormDialog>
  );
}

async function readAgain(org: string, id: string) {
  const { webhooks } = await dataOf(api.GET('/v1/orgs/{org}/notifications', { params: { path: { org } } }));
  const now = webhooks.find((one) => one.id === id);
  return { values: { url: now?.url ?? '' }, etag: now?.etag ?? '' };
}

export function RotateDialog({ webhook, onSecret, onClose }: DialogProps & WithSecret) {
  const { id: org } = useOrg();
  const { rotateDialog: text, rotate } = texts.value.notices.webhooks;
  const replace = async (): Promise<void> => {
    const params = { path: { org, webhook: webhook.id } };
    const { secret } = await dataOf(api.POST(`${WEBHOOK_PATH}/rotate`, { params, body: {} }));
    await refresh('directory');
    if (secret !== null) onSecret(secret);
  };
  return (
    <ConfirmDialog title={text.title} act={rotate} kind="primary" onConfirm={replace} onClose={onClose}>
      <p class="url">{webhook.url}</p>
      <p>{text.text}</p>
    </ConfirmDialog>
  );
}

export function DeleteWebhookDialog({ webhook, onClose }: DialogProps) {
  const { id: org } = useOrg();
  const { notices, common } = texts.value;
  const { deleteDialog: text } = notices.webhooks;
  const remove = async (): Promise<void> => {
    const params = { path: { org, webhook: webhook.id }, header: { 'If-Match': webhook.etag } };
    await dataOf(api.DELETE(WEBHOOK_PATH, { params }));
    await refresh('directory');
    toast(notices.done.deleted);
  };
  return (
    <ConfirmDialog title={text.title} act={common.delete} onConfirm={remove} onClose={onClose}>
      <p class="url">{webhook.url}</p>
      <p>{text.text}</p>
    </ConfirmDialog>
  );
}
