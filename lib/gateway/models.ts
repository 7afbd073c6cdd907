/** The model that is always there: the built-in answerer, the last resort of every answer. It costs nothing and nothing leaves. */
import type { Candidate } from './call.ts'
import { createExtractiveModel, type Embed, extractiveModelId } from './local/answerer.ts'

/** The built-in answerer reads every sentence, so this bounds its time and not what it understands. */
const builtInContextTokens = 16_000

let built: Candidate | undefined

export const builtInCandidate = (embed: Embed): Candidate => {
  built ??= {
    key: `built-in/${extractiveModelId}`,
    provider: {
      id: 'built-in',
      name: 'built-in',
      kind: 'built-in',
      local: true,
      baseUrl: undefined,
      requestsPerMinute: undefined,
      tokensPerMinute: undefined,
    },
    modelId: extractiveModelId,
    tier: 'fast',
    model: createExtractiveModel({ embed }),
    contextTokensMax: builtInContextTokens,
    price: undefined,
  }
  return built
}
