/** Fetches the public keys of an issuer: from a URL, or from the one that its discovery document names. */

const MAX_BYTES = 1_048_576;

export function fetchKeys(url: string, signal: AbortSignal): Promise<string> {
  return fetchText('the key set', url, signal);
}

/** OpenID Connect Discovery 1.0. The document is read each time, so that the keys may move. */
export async function fetchDiscoveredKeys(issuer: string, signal: AbortSignal): Promise<string> {
  const place = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
  const document: unknown = JSON.parse(await fetchText('the discovery document', place, signal));
  return fetchKeys(keysUrlIn(document, issuer), signal);
}

function keysUrlIn(document: unknown, issuer: string): string {
  const { issuer: stated, jwks_uri: url } = (document ?? {}) as Record<string, unknown>;
  if (stated !== issuer) throw new Error(`the discovery document names another issuer: ${stated}`);
  // Keys that anyone on the way can replace would undo the TLS of the issuer.
  if (typeof url !== 'string' || !URL.canParse(url) || new URL(url).protocol !== new URL(issuer).protocol)
    throw new Error(`the discovery document has no jwks_uri with the scheme of the issuer: ${url}`);
  return url;
}

/** Redirects are not followed: the keys come only from where the config, or the issuer, says. */
async function fetchText(what: string, url: string, signal: AbortSignal): Promise<string> {
  const headers = { accept: 'application/jwk-set+json, application/json' };
  const response = await fetch(url, { signal, redirect: 'error', headers });
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  if (response.status !== 200) {
    await response.body?.cancel();
    throw new Error(`${what} was answered with ${response.status}`);
  }
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    if (bytes > MAX_BYTES) throw new Error(`${what} has more than ${MAX_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
