/** The drawing of a chart by uPlot, which is loaded with the first chart. */
import { useEffect, useRef } from 'preact/hooks';
import type { default as UPlot } from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { shortAmount } from '../format/amounts.js';
import { theme } from '../state/preferences.js';
import { type Series, stacked } from './chart-data.js';

interface ChartCanvasProps {
  readonly label: string;
  readonly points: readonly string[];
  readonly series: readonly Series[];
  /** Areas; else bars. */
  readonly filled: boolean;
  readonly onHover: (index: number | undefined) => void;
}

const HEIGHT = 240;

export function ChartCanvas({ label, points, series, filled, onHover }: ChartCanvasProps) {
  const root = useRef<HTMLDivElement>(null);
  const look = theme.value;
  const names = JSON.stringify([points, series.map(({ name }) => name)]);
  const plot = useRef<UPlot | undefined>(undefined);
  const data = dataOf(series, points.length);
  const latest = useRef(data);
  latest.current = data;

  // Drawn anew for other series or colours; new figures only go into the present drawing.
  useEffect(() => {
    const element = root.current;
    if (element === null) return undefined;
    let isGone = false;
    const resized = new ResizeObserver(() =>
      plot.current?.setSize({ width: element.clientWidth, height: HEIGHT }),
    );
    void import('uplot').then(({ default: Plot }) => {
      if (isGone) return;
      const options = optionsOf({ Plot, element, points, series, filled, onHover });
      plot.current = new Plot(options, latest.current, element);
      resized.observe(element);
    });
    const scheme = matchMedia('(prefers-color-scheme: dark)');
    const redraw = (): void => plot.current?.redraw();
    scheme.addEventListener('change', redraw);
    return () => {
      isGone = true;
      resized.disconnect();
      scheme.removeEventListener('change', redraw);
      plot.current?.destroy();
      plot.current = undefined;
    };
  }, [names, filled, look]);

  const figures = JSON.stringify(data);
  useEffect(() => plot.current?.setData(latest.current), [figures]);
  return <div ref={root} class="chart" role="img" aria-label={label} />;
}

/** The highest sum is drawn first, and each lower one over it. */
function dataOf(series: readonly Series[], length: number): UPlot.AlignedData {
  const positions = Array.from({ length }, (_, index) => index);
  return [positions, ...stacked(series).toReversed()];
}

interface Drawing extends Omit<ChartCanvasProps, 'label'> {
  readonly Plot: typeof UPlot;
  readonly element: HTMLElement;
}

function optionsOf({ Plot, element, points, series, filled, onHover }: Drawing): UPlot.Options {
  const bars = Plot.paths.bars?.({ size: [0.7, 64] });
  const colourOf = colours(element);
  const axis = { stroke: () => colourOf('--ink-3'), font: '12px system-ui, sans-serif' };
  const grid = { stroke: () => colourOf('--line-1'), width: 1 };
  return {
    width: element.clientWidth,
    height: HEIGHT,
    padding: [12, 8, 0, 0],
    cursor: { y: false, drag: { x: false, y: false }, points: { show: false } },
    legend: { show: false },
    scales: {
      x: { time: false, range: (_, least, most) => [least - 0.5, most + 0.5] },
      y: { range: (_, __, most) => [0, most > 0 ? most * 1.08 : 1] },
    },
    axes: [
      {
        ...axis,
        grid: { show: false },
        ticks: { show: false },
        size: 28,
        space: 56,
        incrs: [1, 2, 5, 7, 10, 14, 30, 60, 90],
        values: (_, positions) => positions.map((position) => points[position] ?? ''),
      },
      {
        ...axis,
        grid,
        ticks: { show: false },
        size: 56,
        values: (_, amounts) => amounts.map(shortAmount),
      },
    ],
    series: [
      {},
      ...series
        .map((_, index) => {
          const colour = () => colourOf(`--series-${index + 1}`);
          const look = filled || bars === undefined ? {} : { paths: bars };
          return { ...look, fill: colour, stroke: colour, width: filled ? 1 : 0, points: { show: false } };
        })
        .toReversed(),
    ],
    hooks: { setCursor: [({ cursor }) => onHover(cursor.idx ?? undefined)] },
  };
}

/** The present value of a colour, which depends on the theme. */
function colours(element: HTMLElement): (token: string) => string {
  const probe = document.createElement('span');
  probe.hidden = true;
  element.append(probe);
  return (token) => {
    probe.style.color = `var(${token})`;
    return getComputedStyle(probe).color;
  };
}
