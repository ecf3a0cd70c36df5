/** Recognizes multipart forms by their Content-Type, in the one spelling that all servers read alike. */

/** No other parameter is accepted: a charset would change the meaning of the fields. */
const FORM = /^multipart\/form-data[\t ]*;[\t ]*boundary=(?:([\w'()+.-]{1,70})|"([\w'()+,./:=?-]{1,70})")$/i;

/** Returns the boundary of a form; undefined if Content-Type is something else or is sent twice. */
export function boundaryOf(rawHeaders: readonly string[]): string | undefined {
  let boundary: string | undefined;
  let types = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    if (rawHeaders[index]?.toLowerCase() !== 'content-type') continue;
    types += 1;
    const [, bare, quoted] = FORM.exec(rawHeaders[index + 1] ?? '') ?? [];
    boundary = bare ?? quoted;
  }
  return types === 1 ? boundary : undefined;
}
