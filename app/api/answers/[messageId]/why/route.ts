import { z } from 'zod'
import { explainAnswer } from '#db/reports/explain.ts'
import { reader } from '#db/reports/reader.ts'
import { route } from '#lib/auth/index.ts'
import { AppError } from '#lib/shared/errors.ts'

/** Why an answer says what it says: in short for who asked, in full for who may see traces. */
export const GET = route(
  { permission: 'chat.use', limit: 'read', params: z.strictObject({ messageId: z.uuid() }) },
  async ({ viewer, params }) => {
    const explanation = await explainAnswer(reader(), viewer, params.messageId)
    if (!explanation) throw new AppError('not-found')
    return explanation
  },
)
