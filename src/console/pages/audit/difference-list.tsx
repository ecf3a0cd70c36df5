/** The fields that a change has changed: before and after, in words beside the strike. */
import { MoveRight } from 'lucide-preact';
import type { ComponentChildren } from 'preact';
import { amount } from '../../format/amounts.js';
import { texts } from '../../i18n/index.js';
import { Time } from '../../ui/time.js';
import { type Difference, differencesOf } from './difference.js';

interface DifferenceListProps {
  readonly from: unknown;
  readonly to: unknown;
}

/** The others open with a press. */
const SHOWN = 4;

export function DifferenceList({ from, to }: DifferenceListProps) {
  const all = differencesOf(from, to);
  const rest = all.slice(SHOWN);
  if (all.length === 0) return <>–</>;
  return (
    <div class="differences">
      <Lines lines={all.slice(0, SHOWN)} />
      {rest.length > 0 && (
        <details>
          <summary>{texts.value.audit.more(rest.length)}</summary>
          <Lines lines={rest} />
        </details>
      )}
    </div>
  );
}

function Lines({ lines }: { readonly lines: readonly Difference[] }) {
  return (
    <ul>
      {lines.map((one) => (
        <Line key={one.field} difference={one} />
      ))}
    </ul>
  );
}

function Line({ difference: { field, from, to } }: { readonly difference: Difference }) {
  const { audit } = texts.value;
  return (
    <li>
      {field !== '' && <span class="muted">{fieldName(field)}</span>}
      {from !== undefined && (
        <del>
          <span class="visually-hidden">{audit.before} </span>
          <Value value={from} />
        </del>
      )}
      {from !== undefined && to !== undefined && <MoveRight size={14} aria-hidden="true" />}
      {to !== undefined && (
        <ins>
          {from !== undefined && <span class="visually-hidden">{audit.after} </span>}
          <Value value={to} />
        </ins>
      )}
    </li>
  );
}

/** A field has its name of the API, where the page has none for it. */
function fieldName(field: string): string {
  const names: Readonly<Record<string, string>> = texts.value.audit.fields;
  return Object.hasOwn(names, field) ? (names[field] ?? field) : field;
}

const INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}/;

function Value({ value }: { readonly value: unknown }): ComponentChildren {
  const { audit } = texts.value;
  if (typeof value === 'number') return amount(value);
  if (typeof value === 'boolean') return value ? audit.yes : audit.no;
  if (typeof value === 'string') {
    if (value === '') return audit.blank;
    return INSTANT.test(value) ? <Time at={value} /> : value;
  }
  if (Array.isArray(value)) return value.length === 0 ? audit.blank : value.map(inList).join(', ');
  return JSON.stringify(value);
}

function inList(item: unknown): string {
  return typeof item === 'string' ? item : JSON.stringify(item);
}
