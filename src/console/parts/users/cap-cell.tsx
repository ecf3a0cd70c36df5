/** The cap of a user, edited in its place: percent of the pool or units. Warns before a cap that blocks at once. */
import { Check, Pencil, X } from 'lucide-preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { dataOf } from '../../api/client.js';
import { problemIn } from '../../api/problem.js';
import { refresh } from '../../api/query.js';
import { nameOf } from '../../api/subjects.js';
import { amount, exactPercent } from '../../format/amounts.js';
import { type Form, useForm } from '../../forms/use-form.js';
import { texts } from '../../i18n/index.js';
import { type QuotaOverview, useOrg } from '../../state/org.js';
import { may } from '../../state/session.js';
import { Button, IconButton } from '../../ui/button.js';
import { problemText } from '../../ui/states.js';
import { toast } from '../../ui/toasts.js';
import {
  capOf,
  capText,
  type Limit,
  type LimitValues,
  NEW_LIMIT,
  type Preview,
  readLimit,
  valuesOf,
  writeLimit,
} from '../limits/limit.js';
import type { User } from './user.js';

interface CapCellProps {
  readonly user: User;
  readonly quota: QuotaOverview;
}

/** The limit that is edited; null: the user has none yet. */
type Edited = Limit | null;

export function CapCell({ user, quota }: CapCellProps) {
  const { id: org } = useOrg();
  const [edited, setEdited] = useState<Edited | undefined>(undefined);
  const button = useRef<HTMLButtonElement>(null);
  const wasEdited = useRef(false);
  const limit = user.quotas[quota.quota]?.limit ?? null;
  useEffect(() => {
    // The focus comes back to where the editing began.
    if (edited === undefined && wasEdited.current) button.current?.focus();
    wasEdited.current = edited !== undefined;
  }, [edited]);
  const edit = (): void => {
    if (limit === null) setEdited(null);
    else
      readLimit(org, limit).then(setEdited, (error: unknown) => toast(problemText(problemIn(error)), 'bad'));
  };
  if (edited !== undefined)
    return <CapEditor user={user} quota={quota} limit={edited} onClose={() => setEdited(undefined)} />;
  if (!may(limit === null ? 'createLimit' : 'changeLimit')) return <CapInWords user={user} quota={quota} />;
  const { cap } = texts.value.users;
  const name = nameOf(user);
  return (
    <button
      ref={button}
      type="button"
      class="cap-button"
      title={limit === null ? cap.set(name) : cap.edit(name)}
      onClick={edit}
    >
      <CapInWords user={user} quota={quota} />
      <Pencil size={14} aria-hidden="true" />
      <span class="visually-hidden">{limit === null ? cap.set(name) : cap.edit(name)}</span>
    </button>
  );
}

function CapInWords({ user, quota }: CapCellProps) {
  const { cap = null, percent = null } = user.quotas[quota.quota] ?? {};
  if (cap === null) return <span class="muted">{texts.value.users.cap.none}</span>;
  const units = amount(cap, quota.unit);
  if (percent === null) return <span>{units}</span>;
  return (
    <span>
      {exactPercent(percent)}
      <span class="small muted cap-units">{units}</span>
    </span>
  );
}

interface CapEditorProps extends CapCellProps {
  readonly limit: Edited;
  readonly onClose: () => void;
}

function CapEditor(props: CapEditorProps) {
  const { user, quota, onClose } = props;
  const { common, users } = texts.value;
  const { cap } = users;
  const { form, warning } = useCapForm(props);
  const close = (): void => {
    form.discard();
    onClose();
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key !== 'Escape') return;
    event.preventDefault();
    close();
  };
  const submit = (event: Event): void => {
    event.preventDefault();
    void form.submit();
  };
  return (
    <form class="cap-editor" noValidate onSubmit={submit} onKeyDown={onKeyDown}>
      <div class="row">
        <AmountInput form={form} label={cap.amount(nameOf(user))} unit={quota.unit} />
        <IconButton type="submit" icon={Check} size="small" label={common.save} busy={form.busy} />
        <IconButton icon={X} size="small" label={common.cancel} onClick={close} />
      </div>
      {warning !== undefined && (
        <div class="cap-note" data-tone="warn" role="alert">
          {cap.blocks(amount(warning.consumed), amount(warning.cap, quota.unit))}
          <Button type="submit" size="small" kind="danger" busy={form.busy}>
            {cap.saveBlocking}
          </Button>
        </div>
      )}
      <CapProblem form={form} unit={quota.unit} />
    </form>
  );
}

interface AmountInputProps {
  readonly form: Form<LimitValues>;
  readonly label: string;
  readonly unit: string;
}

function AmountInput({ form, label, unit }: AmountInputProps) {
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    input.current?.focus();
    input.current?.select();
  }, []);
  const isWrong = form.errors.amount !== undefined;
  return (
    <div class="with-unit">
      <input
        ref={input}
        class="input"
        aria-label={label}
        aria-invalid={isWrong ? true : undefined}
        autoComplete="off"
        inputMode="decimal"
        value={form.values.amount}
        onInput={(event) => form.set({ amount: event.currentTarget.value })}
      />
      <select
        aria-label={texts.value.users.cap.unit}
        value={form.values.unit}
        onChange={(event) => form.set({ unit: event.currentTarget.value })}
      >
        <option value="percent">%</option>
        <option value="units">{unit}</option>
      </select>
    </div>
  );
}

function CapProblem({ form, unit }: Omit<AmountInputProps, 'label'>) {
  const { users, common } = texts.value;
  const { conflict, problem, errors } = form;
  if (conflict !== undefined) {
    const { amount: theirs, unit: kind } = conflict.values;
    return (
      <div class="cap-note" data-tone="warn" role="alert">
        {users.cap.theirs(kind === 'percent' ? exactPercent(Number(theirs)) : amount(Number(theirs), unit))}
        <Button size="small" onClick={() => void form.resolve('theirs')}>
          {common.takeTheirs}
        </Button>
        <Button size="small" kind="primary" onClick={() => void form.resolve('mine')}>
          {common.keepMine}
        </Button>
      </div>
    );
  }
  const text = errors.amount ?? (problem && problemText(problem));
  return text === undefined ? null : (
    <div class="cap-note" data-tone="bad" role="alert">
      {text}
    </div>
  );
}

interface Warned {
  /** The cap that the warning is about. */
  readonly about: string;
  readonly preview: Preview;
}

const aboutOf = ({ amount: text, unit }: LimitValues): string => `${text} ${unit}`;

function useCapForm({ user, quota: { quota, unit }, limit, onClose }: CapEditorProps) {
  const { id: org } = useOrg();
  const { cap, done } = texts.value.users;
  const name = nameOf(user);
  const [warned, setWarned] = useState<Warned | undefined>(undefined);
  const place = { org, quota, limit: limit?.id };
  const form = useForm<LimitValues>({
    initial:
      limit === null ? { ...NEW_LIMIT, scope: 'user', id: user.id, name, unit: 'percent' } : valuesOf(limit),
    fields: { units: 'amount', percent: 'amount' },
    draft: `cap ${org} ${quota} ${user.id}`,
    check: (values) => (capOf(values) === undefined ? { amount: cap.missing } : {}),
    save: async (values, etag) => {
      if (warned?.about !== aboutOf(values) && values.shadow !== 'yes') {
        const preview = (await dataOf(writeLimit(place, values, { dryRun: true }))) as Preview;
        if (preview.wouldBlock) {
          setWarned({ about: aboutOf(values), preview });
          return false;
        }
      }
      const written = (await dataOf(writeLimit(place, values, { dryRun: false, etag }))) as Limit;
      await refresh('directory', 'consumption');
      toast(done.cap(name, capText(written, unit)));
      onClose();
      return undefined;
    },
    ...(limit === null
      ? {}
      : {
          etag: limit.etag,
          reload: async () => {
            const now = await readLimit(org, limit.id);
            return { values: valuesOf(now), etag: now.etag };
          },
        }),
  });
  const isWarned = warned?.about === aboutOf(form.values) && form.conflict === undefined;
  return { form, warning: isWarned ? warned?.preview : undefined };
}
