/** Callers with a token of the company's identity provider (OpenID Connect): which role and orgs its claims grant. */
import type { JWTPayload } from 'jose';
import { ProblemError } from '../../errors/catalogue.js';
import { claimFinder, type FindClaim, outermost } from '../../identify/claims.js';
import { type TokenRules, VerifiedTokens } from '../../identify/verified-tokens.js';
import { isName, userKeyOf } from '../../quota/id.js';
import type { Access, Orgs, Role } from './roles.js';

/** Who has this value in this claim, as its text, a word of it or an item of its list, has the role in the orgs. */
export interface Grant {
  readonly claim: string;
  readonly value: string;
  readonly role: Role;
  /** With `claim`: the orgs that another claim lists. */
  readonly orgs: Orgs | { readonly claim: string };
}

export interface OidcRules extends Omit<TokenRules, 'keys'> {
  readonly refreshSeconds: number;
  readonly claims: { readonly subject: string; readonly name: string };
  readonly grants: readonly Grant[];
}

/** Accepts the tokens of the issuer, whose keys come from its discovery document. */
export class OidcCallers {
  private readonly tokens: VerifiedTokens<Access>;
  private readonly grant: (claims: JWTPayload) => Access;

  constructor(private readonly rules: OidcRules) {
    const keys = { issuer: rules.issuer, refreshMs: rules.refreshSeconds * 1_000 };
    const lengthOf = ({ who, orgs }: Access): number =>
      who.length + (orgs === 'all' ? 0 : orgs.join().length);
    this.grant = accessReader(rules);
    this.tokens = new VerifiedTokens({ ...rules, keys }, { read: this.grant, lengthOf });
  }

  get issuer(): string {
    return this.rules.issuer;
  }

  /** What a bearer token grants. Throws or rejects with a ProblemError if it grants nothing. */
  read(token: string): Access | Promise<Access> {
    return this.tokens.read(token);
  }

  /** What claims grant that were verified earlier: by the present rules. Throws a ProblemError if they grant nothing. */
  accessOf(claims: JWTPayload): Access {
    return this.grant(claims);
  }

  /** The claims of a token for another audience: those that grants look at. */
  async claimsOf(token: string, audience: string): Promise<JWTPayload> {
    const claims = await this.tokens.claimsOf(token, audience);
    const names = this.claimNames();
    return Object.fromEntries(Object.entries(claims).filter(([name]) => names.has(name)));
  }

  close(): void {
    this.tokens.close();
  }

  private claimNames(): Set<string> {
    const { claims, grants } = this.rules;
    const places = [claims.subject, claims.name, ...grants.map(({ claim }) => claim)];
    for (const { orgs } of grants) if (typeof orgs === 'object' && 'claim' in orgs) places.push(orgs.claim);
    return new Set(places.map(outermost));
  }
}

/** More orgs of one caller are cut off. */
const ORGS_MAX = 1_000;
const NAME_MAX = 128;

/** Throws a ProblemError if no grant matches. */
function accessReader({
  claims,
  grants,
}: Pick<OidcRules, 'claims' | 'grants'>): (claims: JWTPayload) => Access {
  const subjectOf = claimFinder(claims.subject);
  const nameOf = claimFinder(claims.name);
  const granters = grants.map(granterOf);
  return (token) => {
    const subject = subjectOf(token);
    const key = typeof subject === 'string' ? userKeyOf(subject) : undefined;
    if (key === undefined) throw refuse(`The claim ${claims.subject} names no subject`);
    const who = named(nameOf(token), `oidc:${key}`);
    const granted = granters.flatMap((grant) => grant(token) ?? []);
    const [first] = granted;
    if (first === undefined) throw refuse(`No grant matches the claims of ${who}`);
    const { role } = first;
    return { who, role, orgs: together(granted.filter((one) => one.role === role)), expiresAt: 0 };
  };
}

/** An escaped subject has no parentheses: the last one is always the id, as in the name of a token. */
function named(name: unknown, id: string): string {
  return typeof name === 'string' && name !== '' ? `${name.slice(0, NAME_MAX).toWellFormed()} (${id})` : id;
}

type Granted = Pick<Access, 'role' | 'orgs'>;

/** Undefined: it does not match. */
function granterOf({ claim, value, role, orgs }: Grant): (claims: JWTPayload) => Granted | undefined {
  const find = claimFinder(claim);
  const orgsOf = orgFinder(orgs);
  return (claims) => {
    const found = find(claims);
    if (found !== value && !itemsOf(found).includes(value)) return undefined;
    const reached = orgsOf(claims);
    return reached.length === 0 ? undefined : { role, orgs: reached };
  };
}

function orgFinder(orgs: Grant['orgs']): (claims: JWTPayload) => Orgs {
  if (typeof orgs !== 'object' || !('claim' in orgs)) return () => orgs;
  const find: FindClaim = claimFinder(orgs.claim);
  return (claims) =>
    itemsOf(find(claims)).filter((one) => typeof one === 'string' && isName(one)) as string[];
}

function itemsOf(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  return typeof value === 'string' ? value.split(' ') : [];
}

function together(granted: readonly Granted[]): Orgs {
  const ids = new Set<string>();
  for (const { orgs } of granted) {
    if (orgs === 'all') return 'all';
    for (const org of orgs) ids.add(org);
  }
  return [...ids].slice(0, ORGS_MAX);
}

function refuse(detail: string): ProblemError {
  return new ProblemError('claims-invalid', detail);
}
