/** Forms: recognized by the head that comes with them, in the one spelling that every server reads alike. */

/** No other parameter: a charset would change what the fields say. */
const FORM = /^multipart\/form-data[\t ]*;[\t ]*boundary=(?:([\w'()+.-]{1,70})|"([\w'()+,./:=?-]{1,70})")$/i;

/** The boundary of a form; undefined where the head says anything else, or says it twice. */
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
