import type { Metadata } from 'next'
import { notFound } from 'next/navigation'
import { z } from 'zod'
import { WhyScreen } from '#components/admin/why-screen.tsx'
import { explainAnswer } from '#db/reports/explain.ts'
import { reader } from '#db/reports/reader.ts'
import { page } from '#lib/auth/index.ts'

export const metadata: Metadata = { title: 'Why this answer' }

/** The id of an answer, or of the question that it answers. */
export default async function WhyPage({ params }: { params: Promise<{ messageId: string }> }) {
  const viewer = await page('chat.use')
  const id = z.uuid().safeParse((await params).messageId)
  const explanation = id.success ? await explainAnswer(reader(), viewer, id.data) : null
  if (!explanation) notFound()
  return <WhyScreen explanation={explanation} />
}
