/** When notices are sent, and who gets them by e-mail. */
import { Pencil } from 'lucide-preact';
import { percent } from '../../format/amounts.js';
import { texts } from '../../i18n/index.js';
import { setQuery } from '../../router.js';
import { may } from '../../state/session.js';
import { Badge } from '../../ui/badge.js';
import { Button } from '../../ui/button.js';
import { Card } from '../../ui/card.js';
import type { Notifications } from './notices-page.js';
import { SCOPES, type Section } from './settings-form.js';

interface SettingsProps {
  readonly settings: Notifications;
}

export function SettingsTab({ settings }: SettingsProps) {
  const { notices } = texts.value;
  return (
    <div class="notice-cards">
      <Card title={notices.when.title} action={<EditButton section="when" label={notices.when.edit} />}>
        <WhenTable settings={settings} />
      </Card>
      <Card title={notices.email.title} action={<EditButton section="email" label={notices.email.edit} />}>
        <EmailFacts settings={settings} />
      </Card>
    </div>
  );
}

function EditButton({ section, label }: { readonly section: Section; readonly label: string }) {
  const { common } = texts.value;
  if (!may('setNotifications')) return null;
  return (
    <Button
      size="small"
      icon={Pencil}
      aria-label={`${common.edit}: ${label}`}
      onClick={() => setQuery({ change: section })}
    >
      {common.edit}
    </Button>
  );
}

function WhenTable({ settings: { thresholds, refusals } }: SettingsProps) {
  const { when } = texts.value.notices;
  return (
    <table class="table">
      <caption class="visually-hidden">{when.title}</caption>
      <thead>
        <tr>
          <th scope="col">{when.columns.scope}</th>
          <th scope="col">{when.columns.thresholds}</th>
          <th scope="col">{when.columns.refusals}</th>
        </tr>
      </thead>
      <tbody>
        {SCOPES.map((scope) => (
          <tr key={scope}>
            <td data-label={when.columns.scope}>{when.scopes[scope]}</td>
            <td data-label={when.columns.thresholds}>
              {thresholds[scope].length === 0 ? when.never : thresholds[scope].map(percent).join(', ')}
            </td>
            <td data-label={when.columns.refusals}>
              <OnOff on={refusals[scope]} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function OnOff({ on }: { readonly on: boolean }) {
  const { notices } = texts.value;
  return on ? <Badge tone="good">{notices.on}</Badge> : <Badge>{notices.off}</Badge>;
}

function EmailFacts({ settings: { email } }: SettingsProps) {
  const { email: text } = texts.value.notices;
  return (
    <>
      <dl class="facts-list">
        <div>
          <dt>{text.state}</dt>
          <dd>
            <OnOff on={email.enabled} />
          </dd>
        </div>
        <div>
          <dt>{text.admins}</dt>
          <dd>
            <OnOff on={email.admins} />
          </dd>
        </div>
      </dl>
      <div class="stack addresses">
        <h3>{text.addresses}</h3>
        {email.addresses.length === 0 ? (
          <p class="muted">{text.noAddresses}</p>
        ) : (
          <ul>
            {email.addresses.map((address) => (
              <li key={address}>{address}</li>
            ))}
          </ul>
        )}
      </div>
    </>
  );
}
