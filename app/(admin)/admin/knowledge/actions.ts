'use server'

import { z } from 'zod'
import { action } from '#lib/auth/index.ts'
import { chooseEncoder as choose, reindexOutdated, stopEncoder as stop } from '#lib/encoders.ts'
import { saveGatewaySettings } from '#lib/gateway/index.ts'
import { encoderChoiceSchema, knowledgeSettingsSchema } from '#lib/shared/encoders-contract.ts'

const nothing = z.strictObject({})

export const chooseEncoder = action(encoderChoiceSchema, 'model.manage', async ({ name }, viewer) => {
  await choose(viewer, name)
  return null
})

export const stopEncoder = action(nothing, 'model.manage', async (_, viewer) => {
  await stop(viewer)
  return null
})

export const reindex = action(nothing, 'model.manage', (_, viewer) => reindexOutdated(viewer))

export const saveSettings = action(knowledgeSettingsSchema, 'model.manage', ({ version, settings }, viewer) =>
  saveGatewaySettings(viewer, version, settings),
)
