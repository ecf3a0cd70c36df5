/** Asks the API every two seconds what has changed, while the page is visible, and refreshes what is shown. */
import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { api, BACKGROUND, dataOf, type Schemas } from './client.js';
import { type Kind, refresh } from './query.js';

const EVERY_MS = 2_000;
/** After failures the page asks less often. */
const SLOWEST_MS = 30_000;

export type Connection = 'live' | 'paused' | 'lost';
export const connection = signal<Connection>('live');

type Stamps = Partial<Schemas['Changes']>;
const KINDS: readonly Kind[] = ['directory', 'consumption', 'events', 'audit'];

export function useLive(org: string): void {
  useEffect(() => {
    const poll = new Poll(org);
    const onVisibility = (): void => poll.setVisible(!document.hidden);
    document.addEventListener('visibilitychange', onVisibility);
    poll.setVisible(!document.hidden);
    return () => {
      document.removeEventListener('visibilitychange', onVisibility);
      poll.setVisible(false);
    };
  }, [org]);
}

class Poll {
  #timer: ReturnType<typeof setTimeout> | undefined;
  #stamps: Stamps = {};
  #failures = 0;
  #running = false;
  #visible = false;

  constructor(readonly org: string) {}

  setVisible(visible: boolean): void {
    this.#visible = visible;
    clearTimeout(this.#timer);
    if (visible) void this.#ask();
    else connection.value = 'paused';
  }

  async #ask(): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    try {
      await this.#read();
      this.#failures = 0;
      connection.value = 'live';
    } catch {
      this.#failures += 1;
      connection.value = 'lost';
    } finally {
      this.#running = false;
    }
    if (!this.#visible) return;
    this.#timer = setTimeout(() => void this.#ask(), Math.min(EVERY_MS * 2 ** this.#failures, SLOWEST_MS));
  }

  async #read(): Promise<void> {
    const { etag } = this.#stamps;
    const answer = await api.GET('/v1/orgs/{org}/changes', {
      params: { path: { org: this.org } },
      headers: etag === undefined ? BACKGROUND : { ...BACKGROUND, 'If-None-Match': etag },
    });
    if (answer.response.status === 304) return;
    const now = await dataOf(Promise.resolve(answer));
    const before = this.#stamps;
    this.#stamps = now;
    if (before.etag !== undefined) void refresh(...KINDS.filter((kind) => before[kind] !== now[kind]));
  }
}
