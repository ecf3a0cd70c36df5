/** Buttons, and links that look like them. */
import type { LucideIcon } from 'lucide-preact';
import type { ButtonHTMLAttributes, ComponentChildren } from 'preact';

export type ButtonKind = 'primary' | 'danger' | 'plain' | 'normal';

interface Look {
  readonly kind?: ButtonKind | undefined;
  readonly size?: 'small' | undefined;
  readonly icon?: LucideIcon | undefined;
}

interface ButtonProps extends Look, Omit<ButtonHTMLAttributes<HTMLButtonElement>, 'icon' | 'size'> {
  readonly busy?: boolean;
  readonly children: ComponentChildren;
}

export function Button({ kind, size, icon: Icon, busy = false, children, ...rest }: ButtonProps) {
  return (
    <button type="button" class="button" data-kind={kind} data-size={size} aria-busy={busy} {...rest}>
      {Icon && <Icon size={16} aria-hidden="true" />}
      {children}
    </button>
  );
}

interface IconButtonProps extends Omit<ButtonProps, 'children'> {
  readonly icon: LucideIcon;
  /** Its name for screen readers, and the tooltip. */
  readonly label: string;
}

export function IconButton({
  kind = 'plain',
  size,
  icon: Icon,
  busy = false,
  label,
  ...rest
}: IconButtonProps) {
  return (
    <button
      type="button"
      class="button"
      data-icon
      data-kind={kind}
      data-size={size}
      aria-busy={busy}
      aria-label={label}
      title={label}
      {...rest}
    >
      <Icon size={16} aria-hidden="true" />
    </button>
  );
}

interface LinkButtonProps extends Look {
  readonly href: string;
  /** For screen readers, where several links have the same text. */
  readonly label?: string;
  /** Before the link is followed. */
  readonly onClick?: () => void;
  readonly children: ComponentChildren;
}

export function LinkButton({ kind, size, icon: Icon, href, label, onClick, children }: LinkButtonProps) {
  return (
    <a class="button" data-kind={kind} data-size={size} href={href} aria-label={label} onClick={onClick}>
      {Icon && <Icon size={16} aria-hidden="true" />}
      {children}
    </a>
  );
}
