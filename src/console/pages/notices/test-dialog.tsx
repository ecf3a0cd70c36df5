/** Sends a test message to everyone who gets notices, and says for each whether it arrived. */
import { CircleCheck, CircleX } from 'lucide-preact';
import { useState } from 'preact/hooks';
import { api, dataOf, type Schemas } from '../../api/client.js';
import { type ApiProblem, problemIn } from '../../api/problem.js';
import { texts } from '../../i18n/index.js';
import { setQuery } from '../../router.js';
import { useOrg } from '../../state/org.js';
import { may } from '../../state/session.js';
import { Banner } from '../../ui/banner.js';
import { Button, type ButtonKind } from '../../ui/button.js';
import { Dialog } from '../../ui/dialog.js';
import { problemText } from '../../ui/states.js';
import type { Notifications } from './notices-page.js';

type TestResult = Schemas['TestResult'];

/** Who gets notices now: addresses, and the URLs of webhooks that are on. */
export function targetsOf({ email, webhooks }: Notifications): string[] {
  const urls = webhooks.filter(({ enabled }) => enabled).map(({ url }) => url);
  return [...(email.enabled ? email.addresses : []), ...urls];
}

/** `target`: an address or the id of a webhook; left out: everyone. */
export async function sendTest(org: string, target?: string): Promise<readonly TestResult[]> {
  const body = target === undefined ? {} : { target };
  const path = '/v1/orgs/{org}/notifications/test';
  return (await dataOf(api.POST(path, { params: { path: { org } }, body }))).items;
}

interface TestDialogProps {
  readonly settings: Notifications;
  readonly onClose: () => void;
}

export function TestDialog({ settings, onClose }: TestDialogProps) {
  const { id: org } = useOrg();
  const { notices, common } = texts.value;
  const { test: text } = notices;
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<ApiProblem | undefined>(undefined);
  const [results, setResults] = useState<readonly TestResult[] | undefined>(undefined);
  const targets = targetsOf(settings);
  const send = async (): Promise<void> => {
    setBusy(true);
    setProblem(undefined);
    await sendTest(org).then(setResults, (error: unknown) => setProblem(problemIn(error)));
    setBusy(false);
  };
  return (
    <Dialog
      title={text.title}
      onClose={onClose}
      onSubmit={targets.length === 0 ? undefined : () => void send()}
      foot={
        <>
          <Button onClick={onClose}>{common.close}</Button>
          {targets.length === 0 ? (
            <RecipientsButton kind="primary" />
          ) : (
            <Button type="submit" kind="primary" busy={busy}>
              {results === undefined ? text.send : text.again}
            </Button>
          )}
        </>
      }
    >
      {results === undefined ? <Targets targets={targets} /> : <Results results={results} {...settings} />}
      {problem && (
        <Banner tone="bad" alert>
          {problemText(problem)}
        </Banner>
      )}
    </Dialog>
  );
}

/** For who finds that nobody gets notices. */
export function RecipientsButton({ kind }: { readonly kind?: ButtonKind }) {
  if (!may('setNotifications')) return null;
  return (
    <Button kind={kind} onClick={() => setQuery({ test: undefined, change: 'email' })}>
      {texts.value.notices.email.edit}
    </Button>
  );
}

function Targets({ targets }: { readonly targets: readonly string[] }) {
  const { notices } = texts.value;
  if (targets.length === 0) return <p>{notices.nobody}</p>;
  return (
    <>
      <p>{notices.test.goesTo}</p>
      <ul class="targets">
        {targets.map((target) => (
          <li key={target}>{target}</li>
        ))}
      </ul>
    </>
  );
}

interface ResultsProps extends Pick<Notifications, 'webhooks'> {
  readonly results: readonly TestResult[];
}

function Results({ results, webhooks }: ResultsProps) {
  const { test: text } = texts.value.notices;
  return (
    <ul class="targets" role="status">
      {results.map(({ target, delivered, error }) => (
        <li key={target} data-tone={delivered ? 'good' : 'bad'}>
          {delivered ? (
            <CircleCheck size={18} aria-hidden="true" />
          ) : (
            <CircleX size={18} aria-hidden="true" />
          )}
          <div>
            <div>{targetName(target, webhooks)}</div>
            <div class="small muted">{delivered ? text.delivered : text.failed(error ?? '')}</div>
          </div>
        </li>
      ))}
    </ul>
  );
}

/** The URL of a webhook, which the API names by its id. */
export function targetName(target: string, webhooks: Notifications['webhooks']): string {
  return webhooks.find(({ id }) => id === target)?.url ?? target;
}
