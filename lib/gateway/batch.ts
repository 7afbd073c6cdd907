/**
 * Calls that nobody waits for, through a provider's batch interface: half the price, within a day.
 *
 * Promises: what is sent has passed the same contract, masking, route and price like every call (recipe.ts), at the address and with the
 * key of its candidate; a row is stored before anything is sent, and what may have arrived is looked for before it is sent again;
 * the most that a batch can cost is held until it has ended, and what it cost is in the ledger in the transaction that hands over its
 * results; a call that came to nothing, for whatever reason, is handed over as null, to be made in the ordinary way.
 */
import type { LanguageModelV4CallOptions } from '@ai-sdk/provider'
import { z } from 'zod'
import { database, type Tx } from '#db/client.ts'
import { holdBudget, settleBudget } from '#db/queries/budgets.ts'
import { insertModelCalls } from '#db/queries/model-calls.ts'
import { getProvider } from '#db/queries/models.ts'
import { type ClaimedBatch, claimBatches, endBatch, insertBatch, startBatch } from '#db/queries/provider-batches.ts'
import { env } from '#lib/env.ts'
import { log } from '#lib/log.ts'
import { countCall } from '#lib/metrics.ts'
import { newId } from '#lib/shared/ids.ts'
import { estimateTokens } from '#lib/shared/text.ts'
import type { Viewer } from '#lib/shared/viewer.ts'
import { budgetsOf } from './admit.ts'
import { usageOf } from './attempt.ts'
import type { Candidate, Usage } from './call.ts'
import { costOf, priceOf } from './cost.ts'
import { ledgerLine } from './meter.ts'
import { baseUrlOf, buildModel } from './providers.ts'
import { judgeOutput, lineOf, prepare, readJson, type TaskCall, toOptions } from './recipe.ts'
import { fetchOf, openKey } from './registry.ts'
import { type TaskInput, type TaskName, type TaskOutput, tasks } from './tasks.ts'

/** A batch costs half of what its calls would (OpenAI's price list, "Batch API"). */
const priceShare = 0.5
/** Asked for its state so often. */
const lookSeconds = 60
/** How long a sender has before another takes over: longer than all its requests together may take. */
const sendSeconds = 300
const claimedMax = 20
const linesMax = 200
/** Not taken by the provider after so long: done in the ordinary way. */
const submitSecondsMax = 3_600
/** The provider promises a day. */
const waitSecondsMax = 26 * 3_600
const requestMs = 60_000
const bodyCharsMax = 20_000_000
const listedMax = 100

type BatchTask = Exclude<TaskName, 'answer'>

/** How a provider's batch interface is reached; null where the candidate has none. */
export type BatchReach = {
  /** Ends with `/v1`, without a slash. */
  baseUrl: string
  apiKey: string
  fetch: typeof fetch
}
export type FindReach = (workspaceId: string, candidate: Candidate) => Promise<BatchReach | null>

/** With the address and sealed key of the candidate, by the safe client, like every call of it. */
export const reachOf: FindReach = async (workspaceId, { provider }) => {
  if (provider.kind !== 'openai') return null
  if (provider.id.startsWith('env-')) {
    const { apiKey } = env().openai
    return apiKey ? { baseUrl: baseUrlOf('openai', null), apiKey, fetch: fetchOf({ local: false }) } : null
  }
  const stored = await getProvider(database().db, workspaceId, provider.id)
  const apiKey = stored?.enabled ? openKey(stored) : undefined
  return stored && apiKey ? { baseUrl: baseUrlOf(stored.kind, stored.baseUrl), apiKey, fetch: fetchOf(stored) } : null
}

/** What a stored call is for. */
const storedCall = z.object({
  task: z.string().refine((name): name is BatchTask => name !== 'answer' && Object.hasOwn(tasks, name)),
  feature: z.string(),
  userId: z.string(),
  /** Of its line in the ledger, so that it is written once. */
  callId: z.string(),
  policyVersion: z.number(),
  /** Whose text it carries; not there in what an earlier release stored. */
  collectionIds: z.array(z.string()).optional(),
  input: z.record(z.string(), z.unknown()),
  about: z.record(z.string(), z.unknown()),
})
type StoredCall = z.infer<typeof storedCall>

const callOf = (
  workspaceId: string,
  { userId, feature, collectionIds }: Pick<StoredCall, 'userId' | 'feature' | 'collectionIds'>,
): TaskCall => {
  const viewer: Viewer = { userId, workspaceId, role: 'member', name: '', email: '' }
  return { viewer, feature, collectionIds: collectionIds ?? 'unknown' }
}

const half = (micros: number): number => Math.ceil(micros * priceShare)

/** Calls that are ready to be handed over; `queue` does so within a transaction. */
export type BatchOffer = {
  /** Places of the requests in what was offered, of those that can go. */
  readonly places: readonly number[]
  /** Stores these calls and holds their price. False when a budget does not allow it: then nothing is stored. */
  queue(tx: Tx): Promise<boolean>
}

/**
 * Looks which of a person's calls could go to a batch interface: those whose first model has one. Null when none can. Nothing is sent
 * before `advanceBatches` is called.
 */
export const offerBatch = async <Name extends BatchTask>(
  task: Name,
  requests: readonly { input: TaskInput<Name>; about: Record<string, unknown>; collectionIds?: string[] }[],
  { workspaceId, userId, feature }: { workspaceId: string; userId: string; feature: string },
  findReach: FindReach = reachOf,
): Promise<BatchOffer | null> => {
  const call = callOf(workspaceId, { userId, feature })
  const calls = new Map<number, { call: StoredCall; micros: number }>()
  let chosen: Candidate | undefined
  let settings: Parameters<typeof budgetsOf>[1] | undefined
  for (const [at, { input, about, collectionIds }] of requests.slice(0, linesMax).entries()) {
    const carried = collectionIds ? { collectionIds } : {}
    const prepared = await prepare(task, input, callOf(workspaceId, { userId, feature, ...carried }))
    const [first] = prepared.candidates
    if (!first || (chosen && first.key !== chosen.key)) continue
    if (!chosen && !(await findReach(workspaceId, first))) return null
    chosen = first
    settings = prepared.settings
    const tokens = { in: prepared.tokensIn, out: tasks[task].tokensOutMax, cached: 0 }
    calls.set(at, {
      micros: half(priceOf(first, prepared.settings).micros(tokens) ?? Number.MAX_SAFE_INTEGER),
      call: { task, feature, userId, callId: newId(), policyVersion: prepared.policyVersion, ...carried, input, about },
    })
  }
  const [key, rules] = [chosen?.key, settings]
  if (key === undefined || !rules) return null
  return {
    places: [...calls.keys()],
    queue: async (tx) => {
      const kept = [...calls.values()]
      const id = newId()
      const reservedMicros = kept.reduce((sum, { micros }) => sum + micros, 0)
      // Limits of tokens a minute are not for what is done within a day.
      const held =
        reservedMicros > 0
          ? await holdBudget(tx, {
              id,
              micros: reservedMicros,
              budgets: budgetsOf(call.viewer, rules),
              tokens: 0,
              tokenLimits: [],
              expiresAfterSeconds: waitSecondsMax,
            })
          : null
      if (held && 'refused' in held) {
        log.info({ workspaceId, by: held.refused.by }, 'a batch does not fit into the budget')
        return false
      }
      const lines = kept.map((one, at): [string, StoredCall] => [`${id}.${at}`, one.call])
      await insertBatch(tx, { id, workspaceId, key, requests: Object.fromEntries(lines), reservedMicros })
      return true
    },
  }
}

/** What came of one call; `output` is null when it has to be made in the ordinary way. */
export type BatchResult = { task: BatchTask; userId: string; about: Record<string, unknown>; output: unknown }
export type TakeResults = (tx: Tx, workspaceId: string, results: readonly BatchResult[]) => Promise<void>

/** The output of a call of `task`, checked. */
export const batchOutput = <Name extends BatchTask>(
  task: Name,
  { task: made, output }: BatchResult,
): TaskOutput<Name> | null =>
  made === task ? ((tasks[task].output.safeParse(output).data as TaskOutput<Name> | undefined) ?? null) : null

/** The provider's answer to a step was no: not to be tried again. */
class Refused extends Error {
  override name = 'Refused'
}

/** Whether another try can go better. */
const passes = (status: number): boolean => status >= 500 || status === 429 || status === 408

const ask = async ({ baseUrl, apiKey, fetch }: BatchReach, path: string, init: RequestInit = {}): Promise<string> => {
  const response = await fetch(`${baseUrl}${path}`, {
    ...init,
    headers: { ...(init.headers as Record<string, string> | undefined), authorization: `Bearer ${apiKey}` },
    signal: AbortSignal.timeout(requestMs),
  })
  const text = await response.text()
  if (response.ok) return text
  const words = `${init.method ?? 'GET'} ${path.replace(/\/[^/]*\d[^/]*/g, '/…')} was answered with ${response.status}`
  throw passes(response.status) ? new Error(words) : new Refused(words)
}

const madeFile = z.object({ id: z.string().min(1) })
const shownBatch = z.object({
  id: z.string().min(1),
  status: z.string(),
  output_file_id: z.string().nullish(),
  metadata: z.record(z.string(), z.unknown()).nullish(),
})
const listedBatches = z.object({ data: z.array(shownBatch) })

const readAs = <Shape extends z.ZodType>(shape: Shape, text: string): z.output<Shape> => {
  try {
    return shape.parse(JSON.parse(text))
  } catch (cause) {
    throw new Error('the batch interface answered with something else', { cause })
  }
}

/** A form with one file, as text: what it is sent with keeps no file in memory twice. */
const formOf = (lines: string): { body: string; headers: Record<string, string> } => {
  const boundary = `footnote-${newId()}`
  const part = (name: string, more: string, content: string): string =>
    `--${boundary}\r\ncontent-disposition: form-data; name="${name}"${more}\r\n\r\n${content}\r\n`
  const file = part('file', '; filename="calls.jsonl"\r\ncontent-type: application/jsonl', lines)
  return {
    body: `${part('purpose', '', 'batch')}${file}--${boundary}--\r\n`,
    headers: { 'content-type': `multipart/form-data; boundary=${boundary}` },
  }
}

class Captured extends Error {}

/** The body that the adapter of the model would send. */
const bodyOf = async (candidate: Candidate, options: LanguageModelV4CallOptions): Promise<unknown> => {
  let body: unknown
  const model = buildModel({
    kind: 'openai',
    modelId: candidate.modelId,
    apiKey: '',
    baseUrl: null,
    fetch: async (_, init) => {
      body = typeof init?.body === 'string' ? JSON.parse(init.body) : undefined
      throw new Captured()
    },
  })
  await Promise.resolve(model.doGenerate(options)).catch((error: unknown) => {
    if (body === undefined) throw error
  })
  return body
}

/** What the adapter of the model reads in an answer. */
const readAnswer = (candidate: Candidate, options: LanguageModelV4CallOptions, answer: unknown) =>
  buildModel({
    kind: 'openai',
    modelId: candidate.modelId,
    apiKey: '',
    baseUrl: null,
    fetch: async () => Response.json(answer),
  }).doGenerate(options)

type Prepared = Awaited<ReturnType<typeof prepare>>
type ReadyCall = { id: string; call: StoredCall; prepared: Prepared; candidate: Candidate }

/** The stored calls as they may be sent now: rules may have changed, a model may be gone. */
const readyCalls = async ({ workspaceId, key, requests }: ClaimedBatch): Promise<ReadyCall[]> => {
  const ready: ReadyCall[] = []
  for (const [id, stored] of Object.entries(requests)) {
    const call = storedCall.safeParse(stored).data
    if (!call) continue
    const prepared = await prepare(call.task, call.input, callOf(workspaceId, call))
    const candidate = prepared.candidates.find((one) => one.key === key)
    if (candidate) ready.push({ id, call, prepared, candidate })
  }
  return ready
}

/** Sends a batch, or finds that it was sent; the provider's name for it. */
const submit = async (batch: ClaimedBatch, ready: readonly ReadyCall[], reach: BatchReach): Promise<string> => {
  if (batch.triedBefore) {
    // The newest of the account's; one of a few minutes ago is among them. Whoever tried before may have died, or lost the answer, after the provider took it: paid once is enough.
    const { data } = readAs(listedBatches, await ask(reach, `/batches?limit=${listedMax}`))
    const there = data.find(({ metadata }) => metadata?.footnote === batch.id)
    if (there) return there.id
  }
  // Under other rules than those that they were offered under, placeholders may stand for other values: these go one by one.
  const same = ready.filter(({ call, prepared }) => call.policyVersion === prepared.policyVersion)
  const lines: string[] = []
  for (const { id, prepared, candidate } of same) {
    const body = await bodyOf(candidate, toOptions(prepared))
    lines.push(JSON.stringify({ custom_id: id, method: 'POST', url: '/v1/chat/completions', body }))
  }
  const file = lines.join('\n')
  if (!file || file.length > bodyCharsMax) throw new Refused('there is nothing in it that may be sent')
  const { id: fileId } = readAs(madeFile, await ask(reach, '/files', { method: 'POST', ...formOf(file) }))
  const asked = {
    input_file_id: fileId,
    endpoint: '/v1/chat/completions',
    completion_window: '24h',
    metadata: { footnote: batch.id },
  }
  const made = await ask(reach, '/batches', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(asked),
  })
  return readAs(shownBatch, made).id
}

const outputLine = z.object({
  custom_id: z.string(),
  response: z.object({ status_code: z.number(), body: z.unknown() }).nullish(),
})

const answersIn = (text: string): Map<string, unknown> => {
  const found = new Map<string, unknown>()
  for (const line of text.split('\n')) {
    try {
      const { custom_id: id, response } = outputLine.parse(JSON.parse(line))
      if (response?.status_code === 200) found.set(id, response.body)
    } catch {
      // A line that cannot be read belongs to nobody: its call is made in the ordinary way.
    }
  }
  return found
}

const placeholderLike = /\[[A-Z][A-Z_]*_\d+\\?\]/

/** The checked output in what a model wrote; null when there is none. */
const outputOf = ({ call, prepared }: ReadyCall, text: string): unknown => {
  // Under other rules a placeholder may stand for another value: nobody's value gets into another's place.
  if (call.policyVersion !== prepared.policyVersion && placeholderLike.test(text)) return null
  const restorer = prepared.restore()
  try {
    const output = tasks[call.task].output.parse(readJson(restorer.push(text) + restorer.end()))
    return judgeOutput(prepared, output).withheldBy.length > 0 ? null : output
  } catch {
    return null
  }
}

type Heard = { text: string; refused: boolean; usage: Usage; servedModel: string | null }

const hear = async ({ call, prepared, candidate }: ReadyCall, answer: unknown): Promise<Heard | null> => {
  try {
    const { content, finishReason, usage, response } = await readAnswer(candidate, toOptions(prepared), answer)
    const text = content.flatMap((part) => (part.type === 'text' ? [part.text] : [])).join('')
    const own = { in: prepared.tokensIn, out: estimateTokens(text) }
    return {
      text,
      refused: finishReason.unified === 'content-filter',
      usage: usageOf(usage, own, tasks[call.task].tokensOutMax),
      servedModel: response?.modelId ?? null,
    }
  } catch {
    return null
  }
}

type Read = { output: unknown; line: ReturnType<typeof ledgerLine> }

/** An answer, checked, with its line of the ledger: it was paid for whatever it says. */
const readCall = async (ready: ReadyCall, answer: unknown): Promise<Read> => {
  const { call, prepared, candidate } = ready
  const heard = await hear(ready, answer)
  const output = heard && !heard.refused ? outputOf(ready, heard.text) : null
  // What cannot be read counts as the most that it can have cost.
  const most = { in: prepared.tokensIn, out: tasks[call.task].tokensOutMax, cached: 0, reasoning: 0, estimated: true }
  const usage = heard?.usage ?? most
  const costMicros = costOf(candidate, usage)
  const line = ledgerLine({
    id: call.callId,
    ...lineOf(prepared),
    tier: candidate.tier,
    provider: candidate.provider.name,
    requestedModel: candidate.modelId,
    servedModel: heard?.servedModel ?? null,
    outcome: heard?.refused ? 'refused' : output === null ? 'bad-output' : 'ok',
    tokensIn: usage.in,
    tokensOut: usage.out,
    tokensCached: usage.cached,
    tokensReasoning: usage.reasoning,
    usageEstimated: usage.estimated,
    costMicros: costMicros === null ? null : half(costMicros),
    flags: ['batched'],
  })
  return { output, line }
}

type End = { state: 'ended' | 'failed'; detail: string; read: ReadonlyMap<string, Read> }

/** Ends a batch: state, ledger, budget and what its results are for, in one transaction. */
const finish = async (batch: ClaimedBatch, { state, detail, read }: End, take: TakeResults): Promise<void> => {
  const lines = [...read.values()].map(({ line }) => line)
  const results = Object.entries(batch.requests).flatMap(([id, stored]): BatchResult[] => {
    const call = storedCall.safeParse(stored).data
    return call
      ? [{ task: call.task, userId: call.userId, about: call.about, output: read.get(id)?.output ?? null }]
      : []
  })
  const costMicros = lines.reduce((sum, line) => sum + (line.costMicros ?? 0), 0)
  const first = await database().db.transaction(async (tx) => {
    if (!(await endBatch(tx, batch.id, { state, detail }))) return false
    await insertModelCalls(tx, lines)
    await settleBudget(tx, { id: batch.id, costMicros, tokenHolds: [], moreTokens: 0 })
    await take(tx, batch.workspaceId, results)
    return true
  })
  if (!first) return
  log.info({ batchId: batch.id, state, detail, calls: results.length, answered: lines.length }, 'a batch has ended')
  for (const line of lines)
    countCall({
      outcome: line.outcome,
      cache: null,
      firstTokenMs: null,
      totalMs: null,
      tokensIn: line.tokensIn ?? null,
      tokensOut: line.tokensOut ?? null,
      costMicros: line.costMicros ?? null,
    })
}

const inWork = new Set(['validating', 'in_progress', 'finalizing', 'cancelling'])

const nothingRead: End['read'] = new Map()

const advance = async (batch: ClaimedBatch, take: TakeResults, findReach: FindReach): Promise<void> => {
  const fail = (detail: string): Promise<void> => finish(batch, { state: 'failed', detail, read: nothingRead }, take)
  const ready = await readyCalls(batch)
  const [first] = ready
  const reach = first ? await findReach(batch.workspaceId, first.candidate) : null
  if (!reach) return fail('its model may not be asked any more')
  try {
    if (batch.state === 'submitting') {
      if (batch.ageSeconds > submitSecondsMax) return await fail('the provider did not take it within an hour')
      return await startBatch(database().db, batch.id, await submit(batch, ready, reach))
    }
    const path = `/batches/${encodeURIComponent(batch.externalId ?? '')}`
    const shown = readAs(shownBatch, await ask(reach, path))
    if (inWork.has(shown.status)) {
      if (batch.ageSeconds <= waitSecondsMax) return
      await ask(reach, `${path}/cancel`, { method: 'POST' }).catch(() => undefined)
      return await fail('the provider did not finish it within a day')
    }
    const file = shown.output_file_id
    const answers = file ? answersIn(await ask(reach, `/files/${encodeURIComponent(file)}/content`)) : new Map()
    const read = new Map<string, Read>()
    for (const one of ready) if (answers.has(one.id)) read.set(one.id, await readCall(one, answers.get(one.id)))
    const state = shown.status === 'completed' ? 'ended' : 'failed'
    await finish(batch, { state, detail: `${shown.status}: ${read.size} of ${ready.length} answered`, read }, take)
  } catch (error) {
    if (!(error instanceof Refused)) throw error
    await fail(error.message)
  }
}

/**
 * Sends the batches that wait and looks at those under way; the worker calls it now and then. `take` gets the results of each that
 * has ended, in the transaction that ends it. A provider that cannot be reached is asked again later. Never throws.
 */
export const advanceBatches = async (
  take: TakeResults,
  { findReach = reachOf, lookEverySeconds = lookSeconds, sendEverySeconds = sendSeconds } = {},
): Promise<void> => {
  try {
    for (const batch of await claimBatches(database().db, { lookEverySeconds, sendEverySeconds, limit: claimedMax }))
      await advance(batch, take, findReach).catch((error: unknown) =>
        log.warn({ err: error, batchId: batch.id }, 'a batch could not be looked after; tried again later'),
      )
  } catch (error) {
    log.warn({ err: error }, 'batches could not be read')
  }
}
