/** What an entry is about: `limit:ai:u:ann` as a name with a link to its page. */
import { quotaName } from '../../format/amounts.js';
import { texts } from '../../i18n/index.js';
import { linkToPage } from '../../pages.js';
import { useOrg } from '../../state/org.js';

interface Shown {
  readonly text: string;
  readonly href?: string | undefined;
}

export function AuditSubject({ subject }: { readonly subject: string }) {
  const { id: org } = useOrg();
  const { text, href } = shownSubject(org, subject);
  return href === undefined ? <span>{text}</span> : <a href={href}>{text}</a>;
}

function shownSubject(org: string, subject: string): Shown {
  const [kind = '', ...parts] = subject.split(':');
  const id = parts.join(':');
  if (id === '') return { text: subject === 'org' ? org : '' };
  if (kind === 'limit') return limitSubject(org, parts);
  if (kind === 'plan') return { text: quotaName(id), href: linkToPage('settings', { org }, { quota: id }) };
  if (kind === 'user' || kind === 'group') return { text: id, href: linkToPage(kind, { org, [kind]: id }) };
  if (kind === 'peer') return { text: texts.value.audit.fromPeer(id) };
  return { text: id };
}

/** `ai:u:ann`, with the user escaped. */
function limitSubject(org: string, [quota = '', scope = '', ...rest]: readonly string[]): Shown {
  const id = decoded(rest.join(':'));
  const kind = scope === 'g' ? 'group' : 'user';
  return {
    text: texts.value.audit.limitOf(id, quotaName(quota)),
    href: linkToPage(kind, { org, [kind]: id }),
  };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
