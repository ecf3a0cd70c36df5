/** Sends messages by SMTP. */
import { type Channels, DeliveryError } from '../channels.js';
import { mailOf } from '../content/mail.js';

export interface MailOptions {
  readonly host: string;
  readonly port: number;
  /** `tls` from the first byte; `starttls`: refuses servers without it. */
  readonly security: 'starttls' | 'tls' | 'none';
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  /** PEM; absent: the authorities of Node.js. */
  readonly ca?: string | undefined;
  readonly from: string;
  readonly connections: number;
  readonly timeoutMs: number;
}

interface MailChannel {
  readonly mail: NonNullable<Channels['mail']>;
  close(): void;
}

const REASON_MAX = 300;

export function mailChannel(options: MailOptions): MailChannel {
  let transport: ReturnType<typeof openTransport> | undefined;
  const { from } = options;
  const domain = from.slice(from.lastIndexOf('@') + 1);
  return {
    async mail(address, id, message) {
      transport ??= openTransport(options);
      const { subject, text, html } = mailOf(message);
      const envelope = { from: { name: 'quotagate', address: from }, to: { name: '', address } };
      const headers = { 'auto-submitted': 'auto-generated' };
      try {
        await (await transport).sendMail({
          ...envelope,
          subject,
          text,
          html,
          headers,
          messageId: `<${id}@${domain}>`,
        });
      } catch (error) {
        throw new DeliveryError(reasonOf(error));
      }
    },
    close: () => void transport?.then((one) => one.close()).catch(() => undefined),
  };
}

/** Called for the first message: most processes of a fleet send none, and all would wait for the library at their start. */
async function openTransport(options: MailOptions) {
  const { host, port, security, username, password, ca, connections, timeoutMs } = options;
  const { default: nodemailer } = await import('nodemailer');
  return nodemailer.createTransport({
    pool: true,
    host,
    port,
    secure: security === 'tls',
    requireTLS: security === 'starttls',
    ignoreTLS: security === 'none',
    ...(username === undefined ? {} : { auth: { user: username, pass: password ?? '' } }),
    tls: ca === undefined ? {} : { ca },
    maxConnections: connections,
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    socketTimeout: timeoutMs,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
}

/** In one line: the server's answer, or what the connection failed with. */
function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.replace(/\s+/g, ' ').slice(0, REASON_MAX);
}
