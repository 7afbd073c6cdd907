/** What the addresses of the audit log, its page and its table, say of what is looked for. */
import { z } from 'zod'
import type { AuditFilter } from './records-contract.ts'

/** An empty part is one that is not there; a NUL is in no text of the database. */
const words = z
  .string()
  .trim()
  .min(1)
  .max(200)
  .regex(/^[^\0]+$/)
  .optional()
  .catch(undefined)
/** A day that a timestamp of the database and the day after it can be. */
const day = z.iso
  .date()
  .refine((date) => date >= '1970-01-01' && date <= '9998-12-31')
  .optional()
  .catch(undefined)

const addressSchema = z.object({
  from: day,
  to: day,
  actor: words,
  event: words,
  object: words,
  request: words,
  before: z.coerce.number().int().min(1).max(Number.MAX_SAFE_INTEGER).optional().catch(undefined),
})

/** As the fields of the page have it: days are days in UTC, and the last one is included. */
export type AuditAddress = z.output<typeof addressSchema>

const dayMs = 86_400_000

/** Parts of the address that make no sense are as if they were not there. */
export const readAuditAddress = (
  asked: Record<string, unknown>,
): { address: AuditAddress; filter: AuditFilter; before: number | undefined } => {
  const address = addressSchema.parse(asked)
  const { from, to, before, ...rest } = address
  return {
    address,
    before,
    filter: {
      ...rest,
      ...(from ? { from: `${from}T00:00:00.000Z` } : {}),
      ...(to ? { to: new Date(Date.parse(to) + dayMs).toISOString() } : {}),
    },
  }
}
