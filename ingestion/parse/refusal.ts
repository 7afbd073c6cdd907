import type { IngestFailureCode } from '#lib/shared/admin-contract.ts'

/** A parser's word that the file cannot be read, and why. */
export class Refusal extends Error {
  readonly code: IngestFailureCode
  constructor(code: IngestFailureCode, detail = '') {
    super(detail || code)
    this.name = 'Refusal'
    this.code = code
  }
}
