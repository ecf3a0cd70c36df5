/** Files that the API makes, saved by the browser. The session needs a header, so a plain link cannot fetch them. */
import { dataOf } from './client.js';

export async function saveFile(
  name: string,
  answer: Promise<{ data?: Blob; error?: unknown; response: Response }>,
): Promise<void> {
  const url = URL.createObjectURL(await dataOf(answer));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  // Not before the browser has begun to read it.
  setTimeout(() => URL.revokeObjectURL(url), REVOKED_AFTER_MS);
}

const REVOKED_AFTER_MS = 10_000;
