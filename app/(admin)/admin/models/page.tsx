import type { Metadata } from 'next'
import { z } from 'zod'
import { ModelsScreen } from '#components/admin/models-screen.tsx'
import { getModelUse, listRoutes } from '#db/reports/models.ts'
import { reader } from '#db/reports/reader.ts'
import { page } from '#lib/auth/index.ts'
import { modelSetup } from '#lib/gateway/index.ts'
import { routeSorts, useRanges } from '#lib/shared/models-contract.ts'
import { periodOf } from '#lib/shared/operations-contract.ts'
import {
  acceptModel,
  checkModel,
  deleteModel,
  deleteProvider,
  orderModels,
  saveModel,
  saveProvider,
  saveSettings,
  testProvider,
} from './actions.ts'

export const metadata: Metadata = { title: 'Models' }

/** Parts of the address that make no sense are as if they were not there. */
const searchSchema = z.object({
  range: z.enum(useRanges).catch('30d'),
  sort: z.enum(routeSorts).catch('calls'),
  dir: z.enum(['asc', 'desc']).catch('desc'),
})

export default async function ModelsPage({ searchParams }: { searchParams: Promise<Record<string, unknown>> }) {
  const viewer = await page('model.manage')
  const { range, sort, dir } = searchSchema.parse(await searchParams)
  const now = new Date()
  const descending = dir === 'desc'
  const setup = await modelSetup(viewer)
  const [use, routes] = await Promise.all([
    getModelUse(reader(), viewer, now, setup.environment),
    listRoutes(reader(), viewer, periodOf(range, now), setup.environment, { sort, descending }),
  ])
  return (
    <ModelsScreen
      setup={setup}
      use={use}
      range={range}
      routes={routes}
      sort={{ id: sort, descending }}
      actions={{
        saveProvider,
        deleteProvider,
        testProvider,
        saveModel,
        deleteModel,
        orderModels,
        checkModel,
        acceptModel,
        saveSettings,
      }}
    />
  )
}
