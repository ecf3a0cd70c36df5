import { useEffect, useState } from 'preact/hooks';

const DELAY_MS = 250;

/** The value once it has not changed for a moment: typing asks the API only when it pauses. */
export function useSettled(value: string | undefined): string | undefined {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), DELAY_MS);
    return () => clearTimeout(timer);
  }, [value]);
  return settled;
}
