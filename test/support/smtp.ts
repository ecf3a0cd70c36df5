/** A real SMTP server with STARTTLS and logins, whose faults a test sets. */
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { SMTPServer } from 'smtp-server';
import type { Test } from 'tap';
import type { MailOptions } from '../../src/notify/channels/mail.js';
import { selfSigned } from './certificate.js';

export interface ReceivedMail {
  readonly to: string;
  readonly messageId: string;
  readonly subject: string;
  /** The text part, decoded. */
  readonly text: string;
  readonly html: string;
  readonly raw: string;
  /** The connection had TLS and a login. */
  readonly secured: boolean;
}

export interface SmtpOptions {
  readonly starttls?: boolean;
  readonly port?: number;
}

/** `greylist`: each recipient is refused once. `failing`: 452 after the text. `rejecting`: 550 for each recipient. */
export type SmtpMode = 'ok' | 'greylist' | 'failing' | 'rejecting' | 'slow';

export const LOGIN = { username: 'quotagate', password: 'a password' };

export class TestSmtp {
  readonly mails: ReceivedMail[] = [];
  mode: SmtpMode = 'ok';
  slowMs = 1_000;
  port = 0;
  ca = '';
  /** Called with each mail before it is answered. */
  onMail: (mail: ReceivedMail) => void = () => undefined;
  private readonly greeted = new Set<string>();
  private server: SMTPServer | undefined;
  private readonly certificate = selfSigned('localhost');

  constructor(private readonly options: SmtpOptions = {}) {}

  /** Again on the same port, after `stop`. */
  async start(): Promise<void> {
    const { key, cert } = await this.certificate;
    this.ca = cert;
    const server = new SMTPServer({
      key,
      cert,
      authMethods: ['PLAIN', 'LOGIN'],
      authOptional: this.options.starttls === false,
      disabledCommands: this.options.starttls === false ? ['STARTTLS', 'AUTH'] : [],
      closeTimeout: 100,
      onAuth: ({ username, password }, _session, done) => {
        const isRight = username === LOGIN.username && password === LOGIN.password;
        if (isRight) done(null, { user: username });
        else done(new Error('wrong login'));
      },
      onRcptTo: ({ address }, _session, done) => {
        if (this.mode === 'rejecting') return done(refusal(550, 'no such mailbox'));
        const isGrey = this.mode === 'greylist' && !this.greeted.has(address);
        this.greeted.add(address);
        done(isGrey ? refusal(451, 'greylisted, try again later') : undefined);
      },
      onData: (stream, session, done) => {
        const parts: Buffer[] = [];
        stream.on('data', (part: Buffer) => parts.push(part));
        stream.on('end', () => {
          void (this.mode === 'slow' ? delay(this.slowMs) : Promise.resolve()).then(() => {
            if (this.mode === 'failing') return done(refusal(452, 'no space'));
            const to = session.envelope.rcptTo.map(({ address }) => address).join();
            const secured = session.secure && session.user === LOGIN.username;
            const mail = mailIn(Buffer.concat(parts).toString(), to, secured);
            this.mails.push(mail);
            this.onMail(mail);
            done();
          });
        });
      },
    });
    server.on('error', () => undefined);
    this.server = server;
    const listening = server.listen(this.port === 0 ? (this.options.port ?? 0) : this.port, '127.0.0.1');
    await new Promise<void>((resolve) => listening.once('listening', () => resolve()));
    this.port = (server.server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    const { server } = this;
    if (server === undefined) return;
    this.server = undefined;
    await new Promise<void>((resolve) => server.close(() => resolve()));
  }

  get mailOptions(): MailOptions {
    const { port, ca } = this;
    const security = this.options.starttls === false ? 'none' : 'starttls';
    const login = security === 'none' ? {} : LOGIN;
    const server = { host: 'localhost', port, security, ca, connections: 3, timeoutMs: 5_000 } as const;
    return { ...server, ...login, from: 'quota@example.com' };
  }
}

export async function startSmtp(t: Test, options?: SmtpOptions): Promise<TestSmtp> {
  const smtp = new TestSmtp(options);
  await smtp.start();
  t.teardown(() => smtp.stop());
  return smtp;
}

function refusal(responseCode: number, message: string): Error {
  return Object.assign(new Error(message), { responseCode });
}

/** What a mail program would show of the two parts that a message has. */
function mailIn(raw: string, to: string, secured: boolean): ReceivedMail {
  const end = raw.indexOf('\r\n\r\n');
  const head = raw.slice(0, end).replace(/\r\n[ \t]+/g, ' ');
  const header = (name: string): string => new RegExp(`^${name}: (.*)$`, 'im').exec(head)?.[1] ?? '';
  const part = (type: string): string => {
    const at = raw.indexOf(`Content-Type: ${type}`);
    const from = raw.indexOf('\r\n\r\n', at) + 4;
    const until = raw.indexOf('\r\n--', from);
    return at < 0 ? '' : decoded(raw.slice(at, from), raw.slice(from, until < 0 ? undefined : until));
  };
  return {
    to,
    secured,
    raw,
    messageId: header('Message-ID'),
    subject: decodedWords(header('Subject')),
    text: part('text/plain'),
    html: part('text/html'),
  };
}

function decoded(head: string, body: string): string {
  if (/quoted-printable/i.test(head)) return quotedPrintable(body);
  return /base64/i.test(head) ? Buffer.from(body, 'base64').toString() : body.replaceAll('\r\n', '\n');
}

function quotedPrintable(text: string): string {
  const joined = text.replace(/=\r\n/g, '');
  const bytes = joined.replace(/=([0-9A-F]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return Buffer.from(bytes, 'latin1').toString().replaceAll('\r\n', '\n');
}

function decodedWords(text: string): string {
  return text
    .replace(/\?= =\?/g, '?==?')
    .replace(/=\?UTF-8\?([BQ])\?(.*?)\?=/gi, (_, kind: string, word: string) =>
      kind.toUpperCase() === 'B'
        ? Buffer.from(word, 'base64').toString()
        : quotedPrintable(word.replaceAll('_', ' ')),
    );
}
