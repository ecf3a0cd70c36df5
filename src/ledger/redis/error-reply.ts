/**
 * Classifies error replies of Redis 6.2, 7 and Valkey 8. Inside a script, 6.2 puts its own words before the error; 7
 * and Valkey put theirs after it.
 */

/** `false`: the call certainly changed nothing. */
export type Ran = false | 'unknown';

export interface ErrorReply {
  /** `ERR` if the reply has none of the known codes. */
  readonly code: string;
  readonly inScript: boolean;
  readonly ran: Ran;
  /** This server no longer accepts writes, but another one may: the name must be resolved again. */
  readonly leave: boolean;
}

interface Meaning {
  /**
   * The code of an error inside a script, where earlier commands may have written. For a known code in a reply to the
   * call itself, nothing ran.
   */
  readonly ranInScript: Ran;
  readonly leave: boolean;
}

/** Redis checks these at the first write of a script, and not later. */
const AT_FIRST_WRITE: Meaning = { ranInScript: false, leave: false };
const ANYWHERE: Meaning = { ranInScript: 'unknown', leave: false };

const MEANINGS: Readonly<Record<string, Meaning>> = {
  READONLY: { ranInScript: false, leave: true },
  // An old master without its replicas, configured to refuse writes then.
  NOREPLICAS: { ranInScript: false, leave: true },
  MASTERDOWN: { ranInScript: 'unknown', leave: true },
  OOM: AT_FIRST_WRITE,
  MISCONF: AT_FIRST_WRITE,
  NOPERM: ANYWHERE,
  NOSCRIPT: ANYWHERE,
  LOADING: ANYWHERE,
  BUSY: ANYWHERE,
  NOAUTH: ANYWHERE,
  WRONGPASS: ANYWHERE,
  CLUSTERDOWN: ANYWHERE,
  MOVED: ANYWHERE,
  ASK: ANYWHERE,
  TRYAGAIN: ANYWHERE,
  CROSSSLOT: ANYWHERE,
};

const IN_SCRIPT_6 =
  /^ERR Error running script \(call to f_[0-9a-f]{40}\): @user_script:\d+: (?:@user_script: \d+: )?-?/;
const IN_SCRIPT_7 = / script: [0-9a-f]{40}, on @user_script:\d+\.$/;
const DENIED_IN_SCRIPT = /^(?:ERR )?The user executing the script can't /;
/** Redis can kill only a script that has written nothing. */
const KILLED = /^(?:ERR )?Script killed by user/;
/** Refused before a command was read. */
const NOT_TAKEN = /^ERR (?:max number of clients reached|unknown command)/;

export function readErrorReply(message: string): ErrorReply {
  const text = message.replace(IN_SCRIPT_6, '');
  const inScript = text !== message || IN_SCRIPT_7.test(message);
  const code = DENIED_IN_SCRIPT.test(text) ? 'NOPERM' : (/^[A-Z]+(?= |$)/.exec(text)?.[0] ?? 'ERR');
  const meaning = Object.hasOwn(MEANINGS, code) ? MEANINGS[code] : undefined;
  if (meaning !== undefined)
    return { code, inScript, ran: inScript ? meaning.ranInScript : false, leave: meaning.leave };
  const ran = (inScript && KILLED.test(text)) || (!inScript && NOT_TAKEN.test(text)) ? false : 'unknown';
  return { code: 'ERR', inScript, ran, leave: false };
}
