import type { Metadata } from 'next'
import { ModelsScreen } from '#components/admin/models-screen.tsx'
import { page } from '#lib/auth/index.ts'
import { modelSetup } from '#lib/gateway/index.ts'
import {
  deleteModel,
  deleteProvider,
  orderModels,
  saveModel,
  saveProvider,
  saveSettings,
  testProvider,
} from './actions.ts'

export const metadata: Metadata = { title: 'Models' }

export default async function ModelsPage() {
  const viewer = await page('model.manage')
  return (
    <ModelsScreen
      setup={await modelSetup(viewer)}
      actions={{ saveProvider, deleteProvider, testProvider, saveModel, deleteModel, orderModels, saveSettings }}
    />
  )
}
