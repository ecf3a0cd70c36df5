/** The header by which the caller, the upstream and the log identify the same request. */
export const REQUEST_ID = 'X-Request-Id';

/** Replaces what the client sent under this name. */
export function nameRequest(rawHeaders: string[], id: string): void {
  const name = REQUEST_ID.toLowerCase();
  for (let at = rawHeaders.length - 2; at >= 0; at -= 2)
    if (rawHeaders[at]?.toLowerCase() === name) rawHeaders.splice(at, 2);
  rawHeaders.push(REQUEST_ID, id);
}
