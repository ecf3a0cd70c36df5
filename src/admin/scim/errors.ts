/** Errors of SCIM (RFC 7644, section 3.12). Whatever a SCIM route throws is answered in this form. */
import { CATALOGUE, type ErrorCode, type ProblemError } from '../../errors/catalogue.js';
import { URN } from './attributes.js';

export const MEDIA_TYPE = 'application/scim+json';

export type ScimType =
  | 'invalidFilter'
  | 'invalidPath'
  | 'invalidSyntax'
  | 'invalidValue'
  | 'mutability'
  | 'noTarget'
  | 'uniqueness';

export class ScimError extends Error {
  override readonly name = 'ScimError';

  constructor(
    readonly status: number,
    readonly scimType: ScimType,
    detail: string,
  ) {
    super(detail);
  }
}

export function badRequest(scimType: Exclude<ScimType, 'uniqueness'>, detail: string): ScimError {
  return new ScimError(400, scimType, detail);
}

export function taken(detail: string): ScimError {
  return new ScimError(409, 'uniqueness', detail);
}

/** Problems of the catalogue whose status or type SCIM prescribes. */
const PRESCRIBED: Partial<Record<ErrorCode, { readonly status?: number; readonly scimType: ScimType }>> = {
  'input-invalid': { status: 400, scimType: 'invalidValue' },
  'request-malformed': { scimType: 'invalidSyntax' },
  'already-exists': { scimType: 'uniqueness' },
};

/** The status of a problem in SCIM. */
export function scimStatusOf(code: ErrorCode): number {
  return PRESCRIBED[code]?.status ?? CATALOGUE[code].status;
}

export interface ScimFailure {
  readonly status: number;
  readonly body: {
    readonly schemas: readonly string[];
    readonly status: string;
    readonly scimType?: ScimType;
    readonly detail: string;
    /** As in the catalogue of errors. */
    readonly code?: ErrorCode;
  };
}

export function failureOf(error: ScimError | ProblemError): ScimFailure {
  const [status, scimType] =
    error instanceof ScimError
      ? [error.status, error.scimType]
      : [scimStatusOf(error.code), PRESCRIBED[error.code]?.scimType];
  return {
    status,
    body: {
      schemas: [URN.error],
      status: String(status),
      ...(scimType === undefined ? {} : { scimType }),
      detail: error.message,
      ...('code' in error ? { code: error.code } : {}),
    },
  };
}
