/** What the browser keeps for the page. Without storage (a private window, a full disk) the page works, and forgets. */

export type Keeping = 'local' | 'session';

const areaOf = (keeping: Keeping): Storage => (keeping === 'local' ? localStorage : sessionStorage);

export function stored(keeping: Keeping, name: string): string | undefined {
  try {
    return areaOf(keeping).getItem(`quotagate.${name}`) ?? undefined;
  } catch {
    return undefined;
  }
}

/** Stores a text; undefined removes it. */
export function store(keeping: Keeping, name: string, text: string | undefined): void {
  try {
    if (text === undefined) areaOf(keeping).removeItem(`quotagate.${name}`);
    else areaOf(keeping).setItem(`quotagate.${name}`, text);
  } catch {
    // Not kept.
  }
}
