/** A short state, in words and colour. */
import { CircleCheck, CircleSlash, TriangleAlert } from 'lucide-preact';
import type { ComponentChildren } from 'preact';
import { texts } from '../i18n/index.js';

export type Tone = 'good' | 'warn' | 'bad' | 'accent' | 'neutral';

export function Badge({
  tone = 'neutral',
  children,
}: {
  readonly tone?: Tone;
  readonly children: ComponentChildren;
}) {
  return (
    <span class="badge" data-tone={tone}>
      {children}
    </span>
  );
}

export type LimitStatus = 'ok' | 'warning' | 'blocked';

const LOOKS = {
  ok: { tone: 'good', icon: CircleCheck },
  warning: { tone: 'warn', icon: TriangleAlert },
  blocked: { tone: 'bad', icon: CircleSlash },
} as const;

/** The status of a limit: icon, word and colour. */
export function StatusBadge({ status }: { readonly status: LimitStatus }) {
  const { tone, icon: Icon } = LOOKS[status];
  return (
    <Badge tone={tone}>
      <Icon size={13} aria-hidden="true" />
      {texts.value.common.status[status]}
    </Badge>
  );
}
