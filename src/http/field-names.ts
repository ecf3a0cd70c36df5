/**
 * Header names. CGI-like servers replace every character of a name that is not a letter or digit by `_`: they treat
 * `x-quota-user`, `x_quota_user` and `x.quota.user` as one header.
 */

/** Cookies ignore ports: browsers send the console's one also to a gateway on the same host. */
export const SESSION_COOKIE = '__Host-quotagate';
/** Of a login at the identity provider that has begun. */
export const LOGIN_COOKIE = '__Host-quotagate-login';

/** How a header is handled when a message is forwarded. */
export type HeaderPolicy =
  | 'pass'
  | 'drop'
  | 'connection'
  | 'coding'
  | 'length'
  | 'host'
  | 'cookie'
  | 'ours'
  | 'forwarded-for'
  | 'forwarded-host'
  | 'forwarded-proto'
  | 'via';

/** Why a request header is dropped before the request is forwarded. */
export type DropReason = 'name' | 'moves';

const PLAIN = /^[a-z0-9-]*$/;
const SEPARATORS = /[^a-z0-9]/g;

/**
 * Headers by which a server or framework serves another path, method or caller than the request states: what is matched
 * and charged must be what is served. All are in their folded form.
 */
const MOVERS: ReadonlySet<string> = new Set([
  // gunicorn: SCRIPT_NAME is removed from the path, PATH_INFO replaces it; REMOTE_USER if `forwarder_headers` lists it.
  'script-name',
  'path-info',
  'remote-user',
  // Daphne (Django Channels): the root path of the application.
  'daphne-root-path',
  // Prefixes that middleware uses as SCRIPT_NAME or a context path: werkzeug's ProxyFix, Spring's
  // ForwardedHeaderFilter, ASP.NET Core, Traefik; Flask's ReverseProxied, Radicale.
  'x-forwarded-prefix',
  'x-forwarded-pathbase',
  'x-forwarded-path',
  'x-forwarded-context',
  'x-script-name',
  // IIS URL Rewrite and ISAPI_Rewrite, read by Symfony and Zend/Laminas (CVE-2018-14773); iisnode and Azure App Service.
  'x-original-url',
  'x-rewrite-url',
  'x-waws-unencoded-url',
  // Set by nginx, ingress-nginx, Traefik and Caddy for a server that authorizes on their behalf.
  'x-original-uri',
  'x-original-method',
  'x-forwarded-uri',
  'x-forwarded-method',
  'x-replaced-path',
  // Azure Static Web Apps and Functions: the URL before a rewrite.
  'x-ms-original-url',
  // Envoy: path and method before a rewrite.
  'x-envoy-original-path',
  'x-envoy-original-method',
  // Next.js: the path behind its own router, and skipped middleware (CVE-2025-29927).
  'x-matched-path',
  'x-invoke-path',
  'x-invoke-query',
  'x-invoke-output',
  'x-now-route-matches',
  'x-middleware-subrequest',
  // SageMaker and Azure ML: another model or deployment responds than the path names.
  'x-amzn-sagemaker-target-model',
  'x-amzn-sagemaker-target-variant',
  'azureml-model-deployment',
  // Rack::Sendfile: which file is served instead of the response (CVE-2025-61780).
  'x-sendfile-type',
  'x-accel-mapping',
  // Rack::MethodOverride, Express' method-override, Symfony, Spring, OData, Google APIs.
  'x-http-method',
  'x-http-method-override',
  'x-method-override',
]);

/** Returns `name` in lower case, as read by a server that treats separators as equal; our names use `-`. */
export function foldedName(name: string): string {
  return PLAIN.test(name) ? name : name.replace(SEPARATORS, '-');
}

/** Returns whether a request header with this lower-case name is dropped unless the upstream's config passes it. */
export function dropReason(name: string): DropReason | undefined {
  if (MOVERS.has(foldedName(name))) return 'moves';
  return PLAIN.test(name) ? undefined : 'name';
}

const HEADER_POLICIES: ReadonlyMap<string, HeaderPolicy> = new Map<string, HeaderPolicy>([
  ['connection', 'connection'],
  ['keep-alive', 'drop'],
  ['te', 'drop'],
  ['upgrade', 'drop'],
  // Trailers of a request are not passed on. Those of a response are, without an announcement, because it is unknown
  // before its end whether they arrive.
  ['trailer', 'drop'],
  // The server has already sent "100 Continue", so the body arrives anyway.
  ['expect', 'drop'],
  ['transfer-encoding', 'coding'],
  ['content-length', 'length'],
  ['host', 'host'],
  ['cookie', 'cookie'],
  ['ratelimit', 'ours'],
  ['ratelimit-policy', 'ours'],
  ['quotagate-error', 'ours'],
  ['quotagate-mode', 'ours'],
  ['x-forwarded-for', 'forwarded-for'],
  ['x-forwarded-host', 'forwarded-host'],
  ['x-forwarded-proto', 'forwarded-proto'],
  // Each hop appends itself to the previous ones.
  ['via', 'via'],
]);

// Credentials for this hop, the old name of Connection, and `Proxy`, which becomes HTTP_PROXY in a CGI program.
const PROXY_FIELD = /^proxy(-|$)/;

/**
 * Returns how a header with this lower-case name is handled. A header that some servers read as a protected one is
 * handled like it.
 */
export function headerPolicy(name: string): HeaderPolicy {
  const folded = foldedName(name);
  const policy = HEADER_POLICIES.get(folded) ?? (PROXY_FIELD.test(folded) ? 'drop' : 'pass');
  return name === folded || policy === 'pass' ? policy : 'drop';
}

/**
 * Returns whether a header with this lower-case name is dropped from requests by default and can be passed by an
 * upstream's config.
 */
export function isPassable(name: string): boolean {
  return headerPolicy(name) === 'pass' && dropReason(name) !== undefined;
}
