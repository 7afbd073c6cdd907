'use server'

import { z } from 'zod'
import { action } from '#lib/auth/index.ts'
import {
  acceptCanary,
  checkModel as checkStored,
  deleteModel as deleteStoredModel,
  deleteProvider as deleteStoredProvider,
  orderModels as orderStored,
  saveGatewaySettings,
  saveModel as storeModel,
  saveProvider as storeProvider,
  testProvider as tryStored,
} from '#lib/gateway/index.ts'
import { type GatewaySettingsInput, tiers } from '#lib/shared/gateway-settings.ts'
import { modelInputSchema, providerInputSchema } from '#lib/shared/models-contract.ts'

const one = z.strictObject({ id: z.uuid() })

export const saveProvider = action(providerInputSchema, 'model.manage', (input, viewer) => storeProvider(viewer, input))

export const deleteProvider = action(one, 'model.manage', async ({ id }, viewer) => {
  await deleteStoredProvider(viewer, id)
  return null
})

export const testProvider = action(one, 'model.manage', ({ id }, viewer) => tryStored(viewer, id))

export const saveModel = action(modelInputSchema, 'model.manage', (input, viewer) => storeModel(viewer, input))

export const deleteModel = action(one, 'model.manage', async ({ id }, viewer) => {
  await deleteStoredModel(viewer, id)
  return null
})

export const orderModels = action(
  z.strictObject({ tier: z.enum(tiers), ids: z.array(z.uuid()).max(500) }),
  'model.manage',
  async ({ tier, ids }, viewer) => {
    await orderStored(viewer, tier, ids)
    return null
  },
)

const named = z.strictObject({ key: z.string().min(1).max(300) })

export const checkModel = action(named, 'model.manage', async ({ key }, viewer) => {
  await checkStored(viewer, key)
  return null
})

export const acceptModel = action(named, 'model.manage', async ({ key }, viewer) => {
  await acceptCanary(viewer, key)
  return null
})

// The rules are read by the gateway, which refuses in words what a schema here would refuse without.
const rules = z.custom<GatewaySettingsInput>((value) => typeof value === 'object' && value !== null)

export const saveSettings = action(
  z.strictObject({ version: z.int32().min(0), settings: rules }),
  'model.manage',
  ({ version, settings }, viewer) => saveGatewaySettings(viewer, version, settings),
)
