/** One-time codes, with which a page logs in without showing the token: made and kept by this process. */
import { newSecret } from '../tokens/secrets.js';

const LIFE_MS = 5 * 60_000;
const CODES_MAX = 64;

interface Code {
  readonly token: string;
  /** As performance.now. */
  readonly until: number;
}

export class LoginCodes {
  private readonly codes = new Map<string, Code>();

  constructor(private readonly now: () => number = () => performance.now()) {}

  /** The code logs in as this token, once, within five minutes. */
  make(token: string): string {
    const [oldest] = this.codes.keys();
    if (oldest !== undefined && this.codes.size >= CODES_MAX) this.codes.delete(oldest);
    const code = newSecret();
    this.codes.set(code, { token, until: this.now() + LIFE_MS });
    return code;
  }

  /** Undefined: there is no such code, or it was used, or it is too old. */
  use(code: string): string | undefined {
    const found = this.codes.get(code);
    this.codes.delete(code);
    return found !== undefined && this.now() < found.until ? found.token : undefined;
  }
}
