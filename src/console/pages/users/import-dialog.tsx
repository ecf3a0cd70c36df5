/** Imports users from a CSV file. The file is checked when it is chosen; each problem is shown with its line. */
import { useState } from 'preact/hooks';
import { api, dataOf, type Schemas } from '../../api/client.js';
import { type ApiProblem, problemIn } from '../../api/problem.js';
import { refresh } from '../../api/query.js';
import { FieldFrame } from '../../forms/field.js';
import { texts } from '../../i18n/index.js';
import { seatsText } from '../../parts/users/user.js';
import { type Overview, useOrg } from '../../state/org.js';
import { Banner } from '../../ui/banner.js';
import { Button } from '../../ui/button.js';
import { Dialog } from '../../ui/dialog.js';
import { problemText } from '../../ui/states.js';
import { toast } from '../../ui/toasts.js';

type Imported = Schemas['ImportedUsers'];

type Check =
  | { readonly kind: 'none' | 'checking' | 'missing' }
  | { readonly kind: 'ready'; readonly file: File; readonly result: Imported }
  | { readonly kind: 'refused'; readonly problem: ApiProblem };

function importFile(org: string, file: File, { dryRun }: { readonly dryRun: boolean }): Promise<Imported> {
  return dataOf(
    api.POST('/v1/orgs/{org}/users/import', {
      params: { path: { org }, query: dryRun ? { dryRun } : {} },
      body: file as unknown as string,
      bodySerializer: (body: unknown) => body as Blob,
      headers: { 'Content-Type': 'text/csv' },
    }),
  );
}

export function ImportDialog({ onClose }: { readonly onClose: () => void }) {
  const { importDialog: text } = texts.value.users;
  const { check, busy, choose, submit } = useImport(onClose);
  return (
    <Dialog
      title={text.title}
      wide
      onClose={onClose}
      onSubmit={() => void submit()}
      foot={
        <>
          <Button onClick={onClose}>{texts.value.common.cancel}</Button>
          <Button type="submit" kind="primary" busy={busy} disabled={check.kind === 'refused'}>
            {check.kind === 'ready' ? text.submit(check.result.rows) : text.submitNone}
          </Button>
        </>
      }
    >
      <p class="muted">
        {text.about} {text.rules}
      </p>
      <FieldFrame label={text.file} error={check.kind === 'missing' ? text.fileMissing : undefined}>
        {(names) => (
          <input
            {...names}
            type="file"
            class="file"
            accept=".csv,text/csv"
            onChange={(event) => void choose(event.currentTarget.files?.[0])}
          />
        )}
      </FieldFrame>
      {check.kind === 'checking' && <Banner tone="info">{text.checking}</Banner>}
      {check.kind === 'ready' && <Ready result={check.result} />}
      {check.kind === 'refused' && <Refused problem={check.problem} />}
    </Dialog>
  );
}

function useImport(onClose: () => void) {
  const { id: org } = useOrg();
  const { importDialog: text } = texts.value.users;
  const [check, setCheck] = useState<Check>({ kind: 'none' });
  const [busy, setBusy] = useState(false);
  const choose = async (file: File | undefined): Promise<void> => {
    if (file === undefined) return setCheck({ kind: 'none' });
    setCheck({ kind: 'checking' });
    try {
      setCheck({ kind: 'ready', file, result: await importFile(org, file, { dryRun: true }) });
    } catch (error) {
      setCheck({ kind: 'refused', problem: problemIn(error) });
    }
  };
  const submit = async (): Promise<void> => {
    if (check.kind === 'none') setCheck({ kind: 'missing' });
    if (check.kind !== 'ready' || busy) return;
    setBusy(true);
    try {
      const { added, changed } = await importFile(org, check.file, { dryRun: false });
      await refresh('directory', 'consumption');
      toast(text.done(String(added), String(changed)));
      onClose();
    } catch (error) {
      setCheck({ kind: 'refused', problem: problemIn(error) });
      setBusy(false);
    }
  };
  return { check, busy, choose, submit };
}

function Ready({ result }: { readonly result: Imported }) {
  const { importDialog: text } = texts.value.users;
  const { rows, added, changed, unchanged, seatsUsed } = result;
  const org = useOrg();
  const then: Overview = { ...org, seats: { ...org.seats, used: seatsUsed } };
  return (
    <Banner tone="good">
      <strong>{text.ready(rows)}</strong> {text.counts(String(added), String(changed), String(unchanged))}{' '}
      {text.seats(seatsText(then))}
    </Banner>
  );
}

const PROBLEMS_SHOWN = 100;

function Refused({ problem }: { readonly problem: ApiProblem }) {
  const { importDialog: text } = texts.value.users;
  const lines = problem.fields.filter(({ line }) => line !== undefined);
  if (lines.length === 0)
    return (
      <Banner tone="bad" alert>
        {problemText(problem)}
      </Banner>
    );
  const all = problem.body.problems ?? lines.length;
  const shown = lines.slice(0, PROBLEMS_SHOWN);
  return (
    <>
      <Banner tone="bad" alert>
        {text.refused(all)}
      </Banner>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard. */}
      <section class="chart-table" tabIndex={0} aria-label={text.refused(all)}>
        <table class="table">
          <thead>
            <tr>
              <th scope="col" class="numeric">
                {text.line}
              </th>
              <th scope="col">{text.field}</th>
              <th scope="col">{text.problem}</th>
            </tr>
          </thead>
          <tbody>
            {shown.map(({ line, field, problem: words }) => (
              <tr key={`${line} ${field}`}>
                <td data-label={text.line} class="numeric">
                  {line}
                </td>
                <td data-label={text.field}>{field}</td>
                <td data-label={text.problem}>{words}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      {all > shown.length && <p class="muted">{text.more(all - shown.length)}</p>}
    </>
  );
}
