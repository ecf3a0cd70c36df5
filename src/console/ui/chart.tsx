/** A stacked chart over time, its legend with the figures under the pointer, and the same as a table. */
import { useState } from 'preact/hooks';
import { amount } from '../format/amounts.js';
import { texts } from '../i18n/index.js';
import { ChartCanvas } from './chart-canvas.js';
import { largestFirst, runningSums, type Series, totalOf } from './chart-data.js';

interface ChartProps {
  /** What it shows, for screen readers and as the caption of the table. */
  readonly label: string;
  /** The name of each point in time. */
  readonly points: readonly string[];
  /** The head of their column. */
  readonly pointsName: string;
  readonly series: readonly Series[];
  readonly unit: string;
  readonly cumulative?: boolean;
}

/** As many as there are colours. */
const SERIES_MAX = 8;

export function Chart({ label, points, pointsName, series, unit, cumulative = false }: ChartProps) {
  const [hovered, setHovered] = useState<number | undefined>(undefined);
  const shown = largestFirst(series, SERIES_MAX, texts.value.common.others);
  const drawn = cumulative ? shown.map(({ name, values }) => ({ name, values: runningSums(values) })) : shown;
  return (
    <figure class="stack">
      <ChartCanvas label={label} points={points} series={drawn} filled={cumulative} onHover={setHovered} />
      <div class="legend chart-legend" aria-hidden="true">
        <strong>{hovered === undefined ? texts.value.common.total : points[hovered]}</strong>
        {shown.map((one, index) => (
          <span key={one.name}>
            <span class="swatch" style={{ background: `var(--series-${index + 1})` }} />
            {one.name}
            <strong>
              {amount(rounded(hovered === undefined ? totalOf(one) : drawn[index]?.values[hovered]))}
            </strong>
          </span>
        ))}
        <span class="muted">{unit}</span>
      </div>
      <details>
        <summary>{texts.value.common.asTable}</summary>
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard. */}
        <section class="chart-table" tabIndex={0} aria-label={label}>
          <ChartTable label={label} points={points} pointsName={pointsName} series={drawn} />
        </section>
      </details>
    </figure>
  );
}

/** Sums of decimals without the last digits of binary fractions. */
function rounded(value = 0): number {
  return Math.round(value * 1e6) / 1e6;
}

function ChartTable({ label, points, pointsName, series }: Omit<ChartProps, 'unit'>) {
  return (
    <table class="table table-plain">
      <caption class="visually-hidden">{label}</caption>
      <thead>
        <tr>
          <th scope="col">{pointsName}</th>
          {series.map(({ name }) => (
            <th key={name} scope="col" class="numeric">
              {name}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {points.map((point, index) => (
          <tr key={point}>
            <th scope="row">{point}</th>
            {series.map(({ name, values }) => (
              <td key={name} class="numeric">
                {amount(rounded(values[index]))}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
