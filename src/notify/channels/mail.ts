/** Sends messages by SMTP. */
import nodemailer from 'nodemailer';
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
  const { host, port, security, username, password, ca, from, connections, timeoutMs } = options;
  const transport = nodemailer.createTransport({
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
  const domain = from.slice(from.lastIndexOf('@') + 1);
  return {
    async mail(address, id, message) {
      const { subject, text, html } = mailOf(message);
      const envelope = { from: { name: 'quotagate', address: from }, to: { name: '', address } };
      const headers = { 'auto-submitted': 'auto-generated' };
      try {
        await transport.sendMail({
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
    close: () => transport.close(),
  };
}

/** In one line: the server's answer, or what the connection failed with. */
function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.replace(/\s+/g, ' ').slice(0, REASON_MAX);
}
