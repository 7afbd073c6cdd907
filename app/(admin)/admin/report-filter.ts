import { z } from 'zod'

const text = z
  .string()
  .max(300)
  // PostgreSQL takes no zero in a text.
  .regex(/^[^\0]*$/)
  .optional()
  .catch(undefined)

/** The filters of a report as its address has them. Parts that make no sense are as if they were not there. */
export const reportFilterShape = {
  model: text,
  task: text,
  user: z.uuid().optional().catch(undefined),
  feature: text,
  status: text,
}
