/**
 * Passages put in order by a model: a cross-encoder of our own, a provider's reranking interface, or a language model. Whoever asks
 * has an order already and keeps it when this throws. What leaves is masked, budgeted and in the ledger like every other call.
 */
import { z } from 'zod'
import { database } from '#db/client.ts'
import { insertModelCalls } from '#db/queries/model-calls.ts'
import { getProvider } from '#db/queries/models.ts'
import { AppError } from '#lib/shared/errors.ts'
import { estimateTokens, truncate } from '#lib/shared/text.ts'
import type { Viewer } from '#lib/shared/viewer.ts'
import type { Tracer } from '#lib/trace.ts'
import { guardAnswers } from './answer-guard.ts'
import type { Candidate } from './call.ts'
import { costOf } from './cost.ts'
import { type Carried, mayRead } from './exposure.ts'
import { cleanUntrusted } from './injection.ts'
import { scorePairs } from './local/cross-encoder.ts'
import { meteredCall } from './metered.ts'
import { oneWordModel } from './one-word-model.ts'
import { candidatesFor, runTask } from './recipe.ts'
import { createRedactor } from './redact.ts'
import { fetchOf, openKey } from './registry.ts'
import { Failed } from './retry.ts'
import { settingsOf } from './settings.ts'

export type RerankCall = {
  by: 'cross-encoder' | 'provider' | 'model'
  viewer: Viewer
  /** Whose text the passages are. */
  collectionIds?: Carried
  /** After this long the caller goes on without: what is under way is ended and paid for as far as it came. */
  signal: AbortSignal
  trace?: Tracer
}

/** Stands for a text that may go to nobody. */
const withheld = '-'
/** What a reranker reads of a passage. */
const passageCharsMax = 2_000
/** A language model orders these; more is slow and it loses count. */
const orderedMax = 10

const misconfigured = (reason: string): AppError => new AppError('model-misconfigured', { context: { reason } })

/** The shape of Cohere v2, Jina, TEI behind a router, vLLM and llama.cpp. */
const answerSchema = z.object({
  results: z.array(z.object({ index: z.int().min(0), relevance_score: z.number() })),
  usage: z
    .object({ total_tokens: z.int().min(0) })
    .partial()
    .optional(),
})

/** The provider and model named for the task `rerank`, or the first OpenAI-compatible one. */
const findReranker = async (viewer: Viewer, named: string | undefined): Promise<Candidate> => {
  const candidates = await candidatesFor(viewer)
  const known = candidates.find(({ key, provider }) =>
    named === undefined ? provider.kind === 'compatible' : key === named,
  )
  if (known) return known
  // A reranker is no model that writes: it may be named without being among those.
  const at = named?.indexOf('/') ?? -1
  const beside = candidates.find(({ provider }) => named !== undefined && provider.id === named.slice(0, at))
  if (!named || !beside) throw misconfigured('no provider is set that can put passages in order')
  return { ...beside, key: named, modelId: named.slice(at + 1), price: undefined }
}

const plainFetch: typeof fetch = (input, init) => fetch(input, init)

const reach = async ({ provider }: Candidate, workspaceId: string) => {
  if (provider.kind !== 'compatible' || !provider.baseUrl)
    throw misconfigured(`${provider.name} has no interface for reranking that is known here`)
  const stored = provider.id.startsWith('env-') ? undefined : await getProvider(database().db, workspaceId, provider.id)
  const key = stored ? openKey(stored) : undefined
  return {
    url: `${provider.baseUrl.replace(/\/+$/, '')}/rerank`,
    key,
    fetch: guardAnswers({ fetch: stored ? fetchOf(stored) : plainFetch, apiKey: key ?? '' }),
  }
}

type Asked = { question: string; passages: readonly string[] }

const ask = async (
  { modelId }: Candidate,
  { question, passages }: Asked,
  to: Awaited<ReturnType<typeof reach>>,
  signal: AbortSignal | undefined,
): Promise<{ scores: number[]; tokens: number | undefined }> => {
  const answer = await to.fetch(to.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(to.key ? { authorization: `Bearer ${to.key}` } : {}) },
    body: JSON.stringify({
      model: modelId,
      query: question,
      documents: passages,
      top_n: passages.length,
      return_documents: false,
    }),
    ...(signal ? { signal } : {}),
  })
  if (!answer.ok) {
    await answer.body?.cancel()
    const failure = answer.status === 429 ? 'rate-limited' : answer.status >= 500 ? 'server' : 'misconfigured'
    throw new Failed(failure, new Error(`status ${answer.status}`), { statusCode: answer.status })
  }
  const read = answerSchema.safeParse(await answer.json().catch(() => null))
  const scores: number[] = []
  if (read.success) for (const { index, relevance_score: score } of read.data.results) scores[index] = score
  if (scores.length !== passages.length || passages.some((_, at) => scores[at] === undefined))
    throw new Failed('bad-output', new Error('not one score for each passage'))
  return { scores, tokens: read.data?.usage?.total_tokens }
}

const byProvider = async (asked: Asked, { viewer, signal, trace, collectionIds }: RerankCall): Promise<number[]> => {
  const { workspaceId, userId } = viewer
  const { settings, version } = await settingsOf(workspaceId)
  const named = await findReranker(viewer, settings.taskModels.rerank)
  if (settings.providers === 'local' && !named.provider.local)
    throw misconfigured('the workspace asks only models on its own machines')
  if (!mayRead(named, settings.policy.exposure, collectionIds ?? 'unknown'))
    throw misconfigured('the policy does not let this model read all of these passages')
  const inside = named.provider.local && !settings.redaction.alsoLocal
  const redactor = createRedactor(settings.redaction.acts)
  const sendable = (text: string): string => {
    // First what nobody sees is taken out: it could hide a value from masking.
    const read = cleanUntrusted(text).slice(0, passageCharsMax)
    if (inside) return read
    const { text: masked, blocked } = redactor.redact(read)
    // What may go to nobody is ranked by what is left: an empty text comes last.
    return blocked.length > 0 && !named.provider.local ? withheld : masked
  }
  const sent = { question: sendable(asked.question), passages: asked.passages.map(sendable) }
  if (sent.question === withheld) throw misconfigured('the question holds what may leave to nobody')
  const to = await reach(named, workspaceId)
  let scores: number[] | undefined
  const candidate = {
    ...named,
    model: oneWordModel({
      provider: named.provider.kind,
      modelId: named.modelId,
      ask: async (stop) => {
        const { tokens, ...came } = await ask(named, sent, to, stop)
        scores = came.scores
        return { tokens }
      },
    }),
  }
  const prompt = [sent.question, ...sent.passages].join('\n')
  for await (const _ of meteredCall({
    candidates: [candidate],
    options: { prompt: [{ role: 'user', content: [{ type: 'text', text: prompt }] }], maxOutputTokens: 0 },
    lane: 'chat',
    signal,
    viewer,
    settings,
    tokensIn: estimateTokens(prompt),
    tokensOutMax: 0,
    line: {
      workspaceId,
      userId,
      traceId: trace?.traceId ?? null,
      task: 'rerank',
      feature: 'search',
      route: 'rerank',
      policyVersion: version,
    },
    // Its one word was ours: nothing was written, and nothing is paid for it.
    about: ({ usage }) => ({
      tier: null,
      tokensOut: 0,
      costMicros: costOf(candidate, { in: usage.in, out: 0, cached: 0 }),
    }),
    record: (lines) => insertModelCalls(database().db, lines),
  }));
  if (!scores) throw new AppError('model-failed', { context: { reason: 'no order came' } })
  return scores
}

/** Falls towards the end of the order; what a model did not name keeps its place behind what it did. */
const byModel = async (
  { question, passages }: Asked,
  { viewer, signal, trace, collectionIds }: RerankCall,
): Promise<number[]> => {
  const first = passages.slice(0, orderedMax).map((text) => truncate(text, passageCharsMax))
  const { output, model } = await runTask(
    'rerank',
    { question, passages: first },
    { viewer, feature: 'search', signal, collectionIds: collectionIds ?? 'unknown', ...(trace ? { trace } : {}) },
  )
  if (model === null) throw misconfigured('no model is set that could put passages in order')
  const named = [...new Set(output.order)].filter((at) => at < first.length)
  const order = [...named, ...passages.map((_, at) => at).filter((at) => !named.includes(at))]
  return passages.map((_, at) => 1 - order.indexOf(at) / passages.length)
}

/**
 * One score for each passage, in their order: the higher the better the passage answers the question; scores of different rerankers
 * cannot be compared. Throws when there is no such reranker, when it fails, or the signal's reason.
 */
export const rerankPassages = (question: string, passages: readonly string[], call: RerankCall): Promise<number[]> => {
  const asked = { question, passages }
  if (call.by === 'provider') return byProvider(asked, call)
  if (call.by === 'model') return byModel(asked, call)
  return scorePairs(question, passages, call.signal)
}
