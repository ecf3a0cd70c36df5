/** A message inside a page, with what to do about it. */
import { CircleCheck, CircleX, Info, TriangleAlert } from 'lucide-preact';
import type { ComponentChildren } from 'preact';

const ICONS = { info: Info, good: CircleCheck, warn: TriangleAlert, bad: CircleX } as const;

interface BannerProps {
  readonly tone: keyof typeof ICONS;
  readonly action?: ComponentChildren;
  /** It appears after an act of the person: screen readers say it at once. */
  readonly alert?: boolean;
  readonly children: ComponentChildren;
}

export function Banner({ tone, action, alert = false, children }: BannerProps) {
  const Icon = ICONS[tone];
  return (
    <div class="banner" data-tone={tone} {...(alert ? { role: 'alert' } : {})}>
      <Icon size={18} aria-hidden="true" />
      <div>{children}</div>
      {action}
    </div>
  );
}
