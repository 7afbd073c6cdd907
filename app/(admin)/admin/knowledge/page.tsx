import type { Metadata } from 'next'
import { KnowledgeScreen } from '#components/admin/knowledge-screen.tsx'
import { page } from '#lib/auth/index.ts'
import { knowledgeSetup } from '#lib/encoders.ts'
import { chooseEncoder, reindex, saveSettings, stopEncoder } from './actions.ts'

export const metadata: Metadata = { title: 'Knowledge' }

export default async function KnowledgePage() {
  const viewer = await page('model.manage')
  const setup = await knowledgeSetup(viewer)
  return (
    <KnowledgeScreen
      key={setup.version}
      setup={setup}
      actions={{ saveSettings, chooseEncoder, stopEncoder, reindex }}
    />
  )
}
