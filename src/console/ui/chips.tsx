/** Filters of which one is chosen; the first one means all. */

interface Choice {
  readonly value: string;
  readonly label: string;
}

interface ChipsProps {
  readonly label: string;
  readonly choices: readonly Choice[];
  readonly value: string;
  readonly onChange: (value: string) => void;
}

export function Chips({ label, choices, value, onChange }: ChipsProps) {
  return (
    <fieldset class="chips">
      <legend class="visually-hidden">{label}</legend>
      {choices.map((choice) => (
        <button
          key={choice.value}
          type="button"
          class="chip"
          aria-pressed={choice.value === value}
          onClick={() => onChange(choice.value)}
        >
          {choice.label}
        </button>
      ))}
    </fieldset>
  );
}
