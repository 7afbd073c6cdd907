import type { Metadata } from 'next'
import { AboutAnswersScreen } from '#components/chat/about-answers.tsx'
import { page } from '#lib/auth/index.ts'
import { aboutAnswers } from '../about-answers.ts'

export const metadata: Metadata = { title: 'About the answers' }

export default async function AboutAnswersPage() {
  return <AboutAnswersScreen about={await aboutAnswers(await page('chat.use'))} />
}
