/** A small line of figures over time, without axes; `label` says the same in words. */

interface SparklineProps {
  readonly values: readonly number[];
  readonly label: string;
}

const WIDTH = 100;
const HEIGHT = 30;

export function Sparkline({ values, label }: SparklineProps) {
  if (!values.some((value) => value > 0)) return null;
  const most = Math.max(...values, 1e-9);
  const points = values.map((value, index) => {
    const x = (index / (values.length - 1)) * WIDTH;
    return `${x.toFixed(2)} ${(HEIGHT - (value / most) * HEIGHT).toFixed(2)}`;
  });
  const line = `M${points.join('L')}`;
  return (
    <svg
      class="sparkline"
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={label}
    >
      <path data-area d={`${line}L${WIDTH} ${HEIGHT}L0 ${HEIGHT}Z`} />
      <path d={line} />
    </svg>
  );
}
