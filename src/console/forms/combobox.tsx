/** An input with a list to choose from, filtered as one types. Options that cannot be chosen say why. */
import type { LucideIcon } from 'lucide-preact';
import type { ComponentChildren, TargetedKeyboardEvent } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { texts } from '../i18n/index.js';
import { FieldFrame } from './field.js';

export interface Option {
  readonly id: string;
  readonly label: string;
  readonly detail?: string;
  readonly icon?: LucideIcon;
  /** Why it cannot be chosen. */
  readonly disabled?: string;
}

interface ComboboxProps {
  readonly label: string;
  readonly help?: ComponentChildren;
  readonly error?: string | undefined;
  /** What is typed, or the label of what is chosen. */
  readonly text: string;
  readonly onText: (text: string) => void;
  /** Undefined while they are loading. */
  readonly options: readonly Option[] | undefined;
  /** The options are those of an earlier text. */
  readonly outdated: boolean;
  readonly onChoose: (option: Option) => void;
  /** The list is always there, below the input. */
  readonly inline?: boolean;
}

export function Combobox(props: ComboboxProps) {
  const { label, help, error, text, onText, options, outdated, onChoose, inline = false } = props;
  const [isOpen, setOpen] = useState(false);
  const open = isOpen || inline;
  const [active, setActive] = useState(0);
  const choose = (option: Option | undefined): void => {
    if (option === undefined || option.disabled !== undefined) return;
    onChoose(option);
    setOpen(false);
  };
  const enterOnArrival = useOnArrival(outdated || options === undefined, () => choose(options?.[0]));
  const onKeyDown = (event: TargetedKeyboardEvent<HTMLInputElement>): void => {
    const last = Math.max(0, (options?.length ?? 0) - 1);
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault();
      const step = event.key === 'ArrowDown' ? 1 : -1;
      setActive(open ? Math.min(last, Math.max(0, active + step)) : 0);
      setOpen(true);
    } else if (event.key === 'Enter' && open) {
      event.preventDefault();
      if (!enterOnArrival.wait()) choose(options?.[active]);
    } else if (event.key === 'Escape' && isOpen) {
      // The first Escape closes the list, the second one the dialog.
      event.preventDefault();
      event.stopPropagation();
      enterOnArrival.forget();
      setOpen(false);
    }
  };
  const onInput = (value: string): void => {
    enterOnArrival.forget();
    onText(value);
    setActive(0);
    setOpen(true);
  };
  return (
    <FieldFrame label={label} help={help} error={error}>
      {(names) => (
        <div class="combobox">
          <input
            class="input"
            {...names}
            role="combobox"
            autoComplete="off"
            aria-expanded={open}
            aria-autocomplete="list"
            aria-controls={`${names.id}-options`}
            aria-activedescendant={open ? `${names.id}-option-${active}` : undefined}
            value={text}
            onInput={(event) => onInput(event.currentTarget.value)}
            onClick={() => setOpen(true)}
            onBlur={() => setOpen(false)}
            onKeyDown={onKeyDown}
          />
          {open && (
            <Options
              id={names.id}
              label={label}
              options={options}
              active={active}
              onChoose={choose}
              inline={inline}
            />
          )}
        </div>
      )}
    </FieldFrame>
  );
}

/** An act that waits for the options: who types fast presses Enter before they are there. */
function useOnArrival(missing: boolean, act: () => void) {
  const [waiting, setWaiting] = useState(false);
  useEffect(() => {
    if (!waiting || missing) return;
    setWaiting(false);
    act();
  });
  return {
    /** Returns whether there is something to wait for. */
    wait: (): boolean => {
      setWaiting(missing);
      return missing;
    },
    forget: () => setWaiting(false),
  };
}

interface OptionsProps {
  readonly inline: boolean;
  readonly id: string;
  readonly label: string;
  readonly options: readonly Option[] | undefined;
  readonly active: number;
  readonly onChoose: (option: Option) => void;
}

function Options({ id, label, options, active, onChoose, inline }: OptionsProps) {
  const { common } = texts.value;
  const note =
    options === undefined ? common.loading : options.length === 0 ? common.nothingFound : undefined;
  return (
    <div class="options" data-inline={inline} id={`${id}-options`} role="listbox" aria-label={label}>
      {note !== undefined && (
        <div class="options-note" role="option" aria-selected={false} aria-disabled="true" tabIndex={-1}>
          {note}
        </div>
      )}
      {options?.map((option, index) => (
        <OptionRow
          key={option.id}
          id={`${id}-option-${index}`}
          option={option}
          active={index === active}
          onChoose={onChoose}
        />
      ))}
    </div>
  );
}

interface OptionRowProps {
  readonly id: string;
  readonly option: Option;
  readonly active: boolean;
  readonly onChoose: (option: Option) => void;
}

function OptionRow({ id, option, active, onChoose }: OptionRowProps) {
  const { label, detail, icon: Icon, disabled } = option;
  const second = disabled ?? detail;
  return (
    <div
      id={id}
      ref={(element) => {
        if (active) element?.scrollIntoView({ block: 'nearest' });
      }}
      class="option"
      role="option"
      tabIndex={-1}
      aria-selected={active}
      aria-disabled={disabled !== undefined}
      data-active={active}
      // Before the input loses the focus.
      onPointerDown={(event) => {
        event.preventDefault();
        onChoose(option);
      }}
    >
      {Icon && <Icon size={16} aria-hidden="true" />}
      <div>
        <div class="truncate">{label}</div>
        {second !== undefined && <div class="small muted">{second}</div>}
      </div>
    </div>
  );
}
