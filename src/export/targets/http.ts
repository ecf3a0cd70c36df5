/** Events as batches of CloudEvents, posted to a receiver: an answer of 2xx means that it has them. Redirects are not followed. */
import { createHash } from 'node:crypto';
import { Webhook as Signer } from 'standardwebhooks';
import { Agent, request } from 'undici';
import { ExportError, reasonOf, type Target } from '../target.js';

export interface HttpTargetOptions {
  readonly name: string;
  readonly url: string;
  readonly batchEvents: number;
  readonly timeoutMs: number;
  /** PEM of the certificate authorities to trust. Absent: those of Node.js. */
  readonly ca?: string | undefined;
  /** Read for each request, so that a new one needs no restart. Absent: no `authorization`. */
  readonly bearer?: (() => string) | undefined;
  /** Of the signature, as Standard Webhooks define it; read for each request. Absent: no signature. */
  readonly secret?: (() => string) | undefined;
}

const TYPE = 'application/cloudevents-batch+json; charset=UTF-8';
const READ_MAX = 65_536;
const ID_LENGTH = 32;

export function httpTarget(options: HttpTargetOptions): Target {
  const { name, url, batchEvents, timeoutMs, ca } = options;
  const dispatcher = new Agent({ connect: { timeout: timeoutMs, ...(ca === undefined ? {} : { ca }) } });
  return {
    name,
    batchEvents,
    async send(events) {
      const body = `[${events.join(',')}]`;
      const signal = AbortSignal.timeout(timeoutMs);
      try {
        const headers = headersOf(options, body);
        const answer = await request(url, { method: 'POST', dispatcher, headers, body, signal });
        await answer.body.dump({ limit: READ_MAX }).catch(() => undefined);
        if (answer.statusCode >= 200 && answer.statusCode < 300) return;
        throw new ExportError(`the receiver answered ${answer.statusCode}`);
      } catch (error) {
        throw error instanceof ExportError ? error : new ExportError(reasonOf(error));
      }
    },
    close: () => dispatcher.destroy(),
  };
}

function headersOf({ bearer, secret }: HttpTargetOptions, body: string): Record<string, string> {
  const headers: Record<string, string> = { 'content-type': TYPE, 'user-agent': 'quotagate' };
  if (bearer !== undefined) headers.authorization = `Bearer ${bearer()}`;
  if (secret === undefined) return headers;
  // Receivers compare it with their own clocks, so it is not the store's time.
  const at = new Date();
  // The same batch has the same id.
  const id = createHash('sha256').update(body).digest('hex').slice(0, ID_LENGTH);
  headers['webhook-id'] = id;
  headers['webhook-timestamp'] = String(Math.floor(at.getTime() / 1_000));
  headers['webhook-signature'] = signerOf(secret()).sign(id, at, body);
  return headers;
}

/** Throws if this is no secret of Standard Webhooks; the message does not show it. */
export function signerOf(secret: string): Signer {
  try {
    return new Signer(secret);
  } catch {
    throw new ExportError('the secret is not of the form whsec_<base64>');
  }
}
