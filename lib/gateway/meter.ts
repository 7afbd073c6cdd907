/** What is written down of every call: its line in the ledger, stored in one transaction with what the call was for. */
import { createHash } from 'node:crypto'
import type { Executor } from '#db/client.ts'
import { insertModelCalls, type ModelCallValues } from '#db/queries/model-calls.ts'
import { newId } from '#lib/shared/ids.ts'
import type { Candidate, ModelEnd } from './call.ts'
import { costOf, knownCostOf } from './cost.ts'

/** A line of the ledger. The same `id` is written once, whoever tries again; without one it gets its own. */
export type NewModelCall = Omit<ModelCallValues, 'id'> & { id?: string }

/** Columns hold 32 bits. */
const countMost = 2_147_483_647
const textMost = 300

/** The line as it is stored. What a provider said of itself is cut to what a column takes: its answer must not be lost to its bad manners. */
export const ledgerLine = (call: NewModelCall): ModelCallValues => ({
  ...(Object.fromEntries(Object.entries(call).map(([name, value]) => [name, storable(name, value)])) as NewModelCall),
  id: call.id ?? newId(),
})

/** Writes the line. */
export const recordCall = (executor: Executor, call: NewModelCall): Promise<void> =>
  insertModelCalls(executor, [ledgerLine(call)])

const storable = (name: string, value: unknown): unknown => {
  // PostgreSQL refuses a NUL in text.
  if (typeof value === 'string') return value.replaceAll('\0', '').slice(0, textMost)
  if (typeof value !== 'number') return value
  // Not a number is not known: null where that may be said, and nothing where the column counts.
  if (!Number.isFinite(value)) return counted.has(name) ? 0 : null
  // A share, not a count.
  if (name === 'quality') return Math.min(1, Math.max(0, value))
  const most = name.endsWith('Micros') ? Number.MAX_SAFE_INTEGER : countMost
  return Math.min(most, Math.max(0, Math.round(value)))
}

/** Columns that may not be null. */
const counted = new Set(['attempts', 'savedMicros', 'savedTokens', 'routeSavedMicros', 'contextSavedMicros'])

/** What the ledger keeps of a call that ended with an answer. */
export const callFigures = (end: ModelEnd) => {
  const { candidate, servedModel, fingerprint, finish, usage, attempts, firstTokenMs, totalMs } = end
  const stopped = attempts.at(-1)?.outcome === 'stopped'
  return {
    tier: candidate.tier,
    provider: candidate.provider.name,
    requestedModel: candidate.modelId,
    servedModel,
    fingerprint: fingerprint ?? null,
    outcome: stopped ? 'stopped' : finish === 'refused' ? 'refused' : 'ok',
    attempts: attempts.length,
    tokensIn: usage.in,
    tokensOut: usage.out,
    tokensCached: usage.cached,
    tokensReasoning: usage.reasoning,
    usageEstimated: usage.estimated,
    costMicros: costOf(candidate, usage),
    firstTokenMs: firstTokenMs ?? null,
    totalMs,
  } satisfies Partial<NewModelCall>
}

/**
 * What a call that ended saved, in micro-dollars and told apart. By its route: what the same tokens cost at the dearest flagship that
 * could have been asked, less what they cost here. By its context: the tokens that were left out of the prompt (`droppedTokens`), at
 * the input price of the model that answered; what a provider's own cache would have taken off them is not known and not taken off.
 * Never negative, and 0 where a price is not known: what nobody knows was not saved. The two add up and count nothing twice.
 */
export const savingsOf = (
  { candidate, usage }: Pick<ModelEnd, 'candidate' | 'usage'>,
  candidates: readonly Candidate[],
  droppedTokens = 0,
): { savedMicros: number; savedTokens: number; routeSavedMicros: number; contextSavedMicros: number } => {
  const dropped = Number.isFinite(droppedTokens) ? Math.min(countMost, Math.max(0, Math.round(droppedTokens))) : 0
  // A prompt that the built-in answerer read was sent to nobody, and nobody chose it: it stands in for models that are down.
  if (candidate.provider.kind === 'built-in')
    return { savedMicros: 0, savedTokens: 0, routeSavedMicros: 0, contextSavedMicros: 0 }
  const paid = knownCostOf(candidate, usage)
  const dearest = Math.max(
    0,
    ...candidates.filter(({ tier }) => tier === 'flagship').map((flagship) => knownCostOf(flagship, usage) ?? 0),
  )
  const routeSavedMicros = paid === null || candidate.tier === 'flagship' ? 0 : Math.max(0, dearest - paid)
  const contextSavedMicros = knownCostOf(candidate, { in: dropped, out: 0, cached: 0 }) ?? 0
  return {
    savedMicros: routeSavedMicros + contextSavedMicros,
    savedTokens: dropped,
    routeSavedMicros,
    contextSavedMicros,
  }
}

/** Names a prompt: `version` is set by who writes it (a date), the hash tells when its words changed without one. */
export const promptIdentity = (
  name: string,
  version: string,
  text: string,
): { promptName: string; promptVersion: string; promptHash: string } => ({
  promptName: name,
  promptVersion: version,
  promptHash: createHash('sha256').update(text).digest('hex').slice(0, 12),
})
