import { sourceKinds } from '#lib/shared/sources-contract.ts'
import type { Connector } from './connector.ts'
import { createPageReader } from './web-page.ts'

/** One page or file, by its address. */
export const url: Connector<'url'> = {
  ...sourceKinds.url,
  kind: 'url',
  list: async function* (config, context) {
    context.expect(1)
    const page = await createPageReader(context)(new URL(config.url).href)
    if (page) yield page
  },
}
