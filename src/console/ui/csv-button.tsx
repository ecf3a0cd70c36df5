/** Downloads what a page shows as CSV. */
import { Download } from 'lucide-preact';
import { useState } from 'preact/hooks';
import { saveFile } from '../api/download.js';
import { problemIn } from '../api/problem.js';
import { texts } from '../i18n/index.js';
import { Button } from './button.js';
import { problemText } from './states.js';
import { toast } from './toasts.js';

interface CsvButtonProps {
  /** Of the file, without `.csv`. */
  readonly name: string;
  readonly read: () => Parameters<typeof saveFile>[1];
}

export function CsvButton({ name, read }: CsvButtonProps) {
  const [busy, setBusy] = useState(false);
  const download = async (): Promise<void> => {
    setBusy(true);
    try {
      await saveFile(`${name}.csv`, read());
    } catch (error) {
      toast(problemText(problemIn(error)), 'bad');
    } finally {
      setBusy(false);
    }
  };
  return (
    <Button icon={Download} busy={busy} onClick={() => void download()}>
      {texts.value.common.downloadCsv}
    </Button>
  );
}
