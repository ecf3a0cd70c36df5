/** A message as e-mail: subject, text and HTML that a phone can show. */
import type { Invitation } from '../deliveries.js';
import type { Notice } from '../notice.js';
import { linkOf } from './links.js';
import type { Message } from './message.js';
import { adviceOf, factsOf, headlineOf } from './sentences.js';

export interface Mail {
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

export function mailOf(message: Message): Mail {
  const { notices, invitation } = message;
  const [first] = notices;
  const org = orgOf(message);
  if (invitation !== undefined) return invitationMail(message, invitation);
  if (first === undefined) return testMail(message);
  const title = notices.length === 1 ? headlineOf(first) : `${notices.length} notices about limits`;
  return { subject: `[${org}] ${title}`, text: textOf(message, title), html: htmlOf(message, title) };
}

function orgOf({ org, orgName }: Message): string {
  return orgName === '' ? org : orgName;
}

/** It has no link: the console is for admins. */
function invitationMail(message: Message, { user, name, by }: Invitation): Mail {
  const org = orgOf(message);
  const title = `You are invited to ${org}`;
  const sentences = [
    `Hello${name === '' ? '' : ` ${name}`},`,
    `${by} has invited you to ${org}. Your user id is ${user}.`,
    'You become active with your first request.',
  ];
  const body = sentences.map((sentence) => `<p>${escaped(sentence)}</p>`).join('');
  return {
    subject: `[${org}] ${title}`,
    text: `${sentences.join('\n\n')}\n`,
    html: page(title, body, { ...message, consoleUrl: undefined }),
  };
}

function testMail(message: Message): Mail {
  const title = 'Test message';
  const sentence = 'This is a test of the notices of quotagate. E-mail to this address works.';
  const subject = `[${orgOf(message)}] ${title}`;
  return {
    subject,
    text: `${sentence}\n${linkText(message)}`,
    html: page(title, `<p>${sentence}</p>`, message),
  };
}

function linkText({ consoleUrl }: Message): string {
  return consoleUrl === undefined ? '' : `\nConsole: ${consoleUrl}\n`;
}

function textOf(message: Message, title: string): string {
  const blocks = message.notices.map((notice) => {
    const facts = factsOf(notice).map(([label, value]) => `  ${label}: ${value}`);
    const link = linkOf(message, notice);
    const open = link === undefined ? [] : [`${link.text}: ${link.url}`];
    return [headlineOf(notice), ...facts, '', adviceOf(notice), ...open].join('\n');
  });
  const head = message.notices.length === 1 ? [] : [`${title} of ${orgOf(message)}:`];
  return `${[...head, ...blocks].join('\n\n')}\n${linkText(message)}`;
}

function htmlOf(message: Message, title: string): string {
  return page(title, message.notices.map((notice) => noticeHtml(message, notice)).join(''), message);
}

function noticeHtml(message: Message, notice: Notice): string {
  const link = linkOf(message, notice);
  const color = notice.kind === 'blocked' || (notice.threshold ?? 0) >= 100 ? '#b3261e' : '#8a5a00';
  const rows = factsOf(notice)
    .map(
      ([label, value]) =>
        `<tr><td style="padding:2px 12px 2px 0;color:#555">${escaped(label)}</td><td style="padding:2px 0;word-break:break-word">${escaped(value)}</td></tr>`,
    )
    .join('');
  return (
    `<div style="border-left:4px solid ${color};padding:4px 12px;margin:0 0 16px">` +
    `<h2 style="font-size:17px;margin:0 0 8px">${escaped(headlineOf(notice))}</h2>` +
    `<table role="presentation" style="border-collapse:collapse;font-size:15px">${rows}</table>` +
    `<p style="margin:8px 0 0">${escaped(adviceOf(notice))}</p>` +
    (link === undefined
      ? ''
      : `<p style="margin:8px 0 0"><a href="${escaped(link.url)}">${link.text}</a></p>`) +
    '</div>'
  );
}

function page(title: string, body: string, { consoleUrl }: Message): string {
  const link =
    consoleUrl === undefined
      ? ''
      : `<p><a href="${escaped(consoleUrl)}" style="display:inline-block;padding:10px 16px;background:#1a56b0;color:#fff;text-decoration:none;border-radius:6px">Open the console</a></p>`;
  return (
    '<!doctype html><html lang="en"><head><meta charset="utf-8">' +
    '<meta name="viewport" content="width=device-width,initial-scale=1">' +
    `<title>${escaped(title)}</title></head>` +
    '<body style="margin:0;padding:16px;font:16px/1.45 system-ui,sans-serif;color:#1c1c1c">' +
    `<div style="max-width:600px;margin:0 auto">${body}${link}</div></body></html>`
  );
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (one) => ENTITIES[one] ?? one);
}
