/**
 * The recipe of a call, outermost first: settings, contract, masking, route, budget, the resilient model, the stream's filters, the
 * ledger. Every call of a task passes all of it, in this order, and nothing else calls a model.
 */
import { createHash, randomBytes } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import type { LanguageModelV4CallOptions } from '@ai-sdk/provider'
import { z } from 'zod'
import { database } from '#db/client.ts'
import { insertModelCalls } from '#db/queries/model-calls.ts'
import { getTaskResult, keepTaskResult } from '#db/queries/task-results.ts'
import { env } from '#lib/env.ts'
import { AppError } from '#lib/shared/errors.ts'
import type { GatewaySettings, Tier } from '#lib/shared/gateway-settings.ts'
import { estimateTokens } from '#lib/shared/text.ts'
import type { Viewer } from '#lib/shared/viewer.ts'
import { assertAnswersOn } from '#lib/switches.ts'
import type { SpanHandle, Tracer } from '#lib/trace.ts'
import { outputText, rulesMet } from './answer-rules.ts'
import type { Candidate, ModelEnd } from './call.ts'
import { demoteDropped, droppedModels } from './canary.ts'
import { priceOf } from './cost.ts'
import { embed } from './embedding.ts'
import { type Carried, mayRead } from './exposure.ts'
import { cleanUntrusted } from './injection.ts'
import { promptIdentity, savingsOf } from './meter.ts'
import { type LedgerLine, type MeteredEvent, meteredCall } from './metered.ts'
import { builtInCandidate } from './models.ts'
import { createOutputFilter } from './output-filter.ts'
import { createRedactor, createRestorer } from './redact.ts'
import { chooseTier, difficultyOf, evidenceSpreadOf, localAnswerSuffices, orderCandidates } from './route.ts'
import { settingsOf } from './settings.ts'
import { listAskable, watchAsked } from './switched.ts'
import { type Message, type TaskInput, type TaskName, type TaskOutput, tasks } from './tasks.ts'

export type TaskCall = {
  viewer: Viewer
  /** The part of the product that asks: `chat`, `document.summary`. */
  feature: string
  /** What shows how hard it is, where the caller knows; decides the tier. Without it the task's own tier is asked. */
  asked?: { question: string; passages: readonly { documentId: string; score: number; tokens: number }[] }
  /** Tokens that were left out of the prompt on purpose: older turns, and what of the passages is beside the question. */
  droppedTokens?: number
  /** Whose text is in the input; left out, it may be any collection's, and only models are asked that may read them all. */
  collectionIds?: Carried
  trace?: Tracer
  /** The span of this call, where the caller has opened one: what went out and came back is written to it, masked. */
  span?: SpanHandle
  signal?: AbortSignal
  chatId?: string
  messageId?: string
}

/** What a caller of `streamAnswer` sees. After `replace` the text begins anew. `end` is the last. */
export type AnswerEvent =
  | { type: 'text'; text: string }
  | { type: 'replace' }
  | {
      type: 'end'
      model: { id: string; kind: 'built-in' | 'provider' }
      tokens: { in: number; out: number }
      costMicros: number | null
      firstTokenMs: number | undefined
      /** Why the built-in one answered in place of the models that were to, `barred` by policy; null when one of them did. */
      fellBack: 'no-answer' | 'misconfigured' | 'barred' | null
      refused: boolean
      modelKey: string
    }

type Contract = (typeof tasks)[TaskName]

/** The parts of a call that stay the same over its attempts. */
type Prepared = {
  name: TaskName
  call: TaskCall
  settings: GatewaySettings
  policyVersion: number
  candidates: Candidate[]
  /** Models that would have been asked, and may not read what is in the prompt. */
  barred: string[]
  tier: Tier
  route: string
  prompt: { instructions: string; messages: Message[] }
  boundary: string
  tokensIn: number
  /** The prompt as a trace may keep it: masked, whether or not anything leaves. */
  recorded: { role: string; content: string }[]
  mask: (text: string) => string
  /** Something was replaced in what leaves. */
  masked: boolean
  restore: () => ReturnType<typeof createRestorer>
}

/** Only what the contract lists may leave; the names of the rest go into the trace. */
const minimise = (contract: Contract, input: Record<string, unknown>) => {
  const allowed = new Set(Object.keys(contract.input.shape))
  const sent = Object.keys(input).filter((field) => allowed.has(field))
  const dropped = Object.keys(input).filter((field) => !allowed.has(field))
  return { parsed: contract.input.parse(input), sent, dropped }
}

const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex')

/** Every model that may be asked for the viewer's workspace and is not switched off, in no order. */
export const candidatesFor = ({ workspaceId }: Pick<Viewer, 'workspaceId'>): Promise<Candidate[]> =>
  listAskable(workspaceId)

/** Who will answer, as far as it can be said before. */
export const answererOf = async (viewer: Viewer): Promise<{ id: string; kind: 'built-in' | 'provider' }> => {
  const { settings } = await settingsOf(viewer.workspaceId)
  const { tier, modelKey } = chooseTier({
    task: 'answer',
    difficulty: undefined,
    taskTier: tasks.answer.tier,
    settings,
  })
  const [first] = await inOrder(await candidatesFor(viewer), { tier, modelKey, settings }, viewer)
  return first ? { id: first.modelId, kind: 'provider' } : { id: builtInCandidate(embed).modelId, kind: 'built-in' }
}

/** The order in which models are asked: as the route says, and those that do worse than they did last, where the workspace wants it. */
const inOrder = async (
  known: Candidate[],
  route: Parameters<typeof orderCandidates>[1] & { settings: GatewaySettings },
  { workspaceId }: Pick<Viewer, 'workspaceId'>,
): Promise<Candidate[]> => {
  const ordered = orderCandidates(known, route)
  return route.settings.canary.act === 'fall-back' ? demoteDropped(ordered, await droppedModels(workspaceId)) : ordered
}

const isLocal = ({ provider }: Candidate): boolean => provider.local || provider.kind === 'built-in'

/** Whether its price is known; the rule that refuses the others must not refuse these with them. */
const isPriced = (candidate: Candidate): boolean =>
  priceOf(candidate, { unknownPrice: 'worst-case' }).source !== 'dearest'

const howHard = ({ question, passages }: NonNullable<TaskCall['asked']>, messages: readonly Message[]) =>
  difficultyOf({
    question,
    historyTokens: estimateTokens(
      messages
        .slice(0, -1)
        .map(({ content }) => content)
        .join('\n'),
    ),
    passages: passages.length,
    evidenceSpread: evidenceSpreadOf(passages),
    evidenceTokens: passages.reduce((sum, { tokens }) => sum + tokens, 0),
  })

export const prepare = async (name: TaskName, input: Record<string, unknown>, call: TaskCall): Promise<Prepared> => {
  const contract: Contract = tasks[name]
  const [{ settings, version }, known] = await Promise.all([
    settingsOf(call.viewer.workspaceId),
    candidatesFor(call.viewer),
    assertAnswersOn(call.viewer.workspaceId),
  ])

  const { parsed, sent, dropped } = minimise(contract, input)
  const boundary = randomBytes(9).toString('base64url')
  const written = (contract.prompt as (input: unknown, boundary: string) => Prepared['prompt'])(parsed, boundary)
  // First what nobody sees is taken out: it could hide a value from masking, and orders from people.
  const plain = {
    ...written,
    messages: written.messages.map(({ role, content }) => ({ role, content: cleanUntrusted(content) })),
  }

  const redactor = createRedactor(settings.redaction.acts)
  const masked = plain.messages.map(({ role, content }) => ({ role, content: redactor.redact(content) }))
  const blocked = [...new Set(masked.flatMap(({ content }) => content.blocked))]
  const found = Map.groupBy(
    masked.flatMap(({ content }) => content.found.filter(({ act }) => act !== 'allow')),
    ({ kind }) => kind,
  )

  const difficulty = call.asked && howHard(call.asked, plain.messages)
  const chosen = chooseTier({ task: name, difficulty: difficulty?.difficulty, taskTier: contract.tier, settings })
  // A local model is trusted with what is easy: its confidence is how far the question is from hard.
  const trustLocal = difficulty === undefined || localAnswerSuffices(1 - difficulty.difficulty, settings.routing)
  const routing = { ...settings.routing, localFirst: settings.routing.localFirst && trustLocal }
  const { exposure } = settings.policy
  const allowed = (await inOrder(known, { ...chosen, settings: { ...settings, routing } }, call.viewer))
    .filter((candidate) => blocked.length === 0 || isLocal(candidate))
    .filter((candidate) => settings.unknownPrice !== 'refuse' || isPriced(candidate))
  // Here and not later: what is not among the candidates is no fallback either.
  const ordered = allowed.filter((candidate) => mayRead(candidate, exposure, call.collectionIds ?? 'unknown'))
  const barred = allowed.filter((candidate) => !ordered.includes(candidate)).map(({ key }) => key)
  // The built-in answerer reads sources and nothing else: it stands in where there are some.
  const candidates = name === 'answer' ? [...ordered, builtInCandidate(embed)] : ordered
  // What stays on our own machines is masked only where the workspace says so.
  const leaves = candidates.some(
    (candidate) => !isLocal(candidate) || (settings.redaction.alsoLocal && candidate.provider.kind !== 'built-in'),
  )
  const messages = leaves ? masked.map(({ role, content }) => ({ role, content: content.text })) : plain.messages

  const guard = call.trace?.open('guard', 'what may be sent')
  guard?.set({
    sent,
    dropped,
    leaves,
    masked: leaves ? Object.fromEntries([...found].map(([kind, all]) => [kind, all.length])) : {},
    ...(blocked.length > 0 ? { keptInside: blocked } : {}),
    ...(barred.length > 0 ? { barred } : {}),
    policyVersion: version,
  })
  guard?.end()
  const { tier, reason } = chosen
  const routed = call.trace?.open('route', `route: ${tier}`)
  routed?.set({ task: name, tier, reason, ...difficulty, candidates: candidates.map(({ key }) => key) })
  routed?.end()

  return {
    name,
    call,
    settings,
    policyVersion: version,
    candidates,
    barred,
    tier,
    // A word from a short list: figures are grouped by it. Why is in the trace.
    route: chosen.modelKey === undefined ? tier : 'task model',
    prompt: { instructions: plain.instructions, messages },
    boundary,
    tokensIn: estimateTokens([plain.instructions, ...messages.map(({ content }) => content)].join('\n')),
    recorded: [
      { role: 'system', content: plain.instructions },
      ...masked.map(({ role, content }) => ({ role, content: content.text })),
    ],
    mask: (text) => redactor.redact(text).text,
    masked: leaves && found.size > 0,
    restore: () =>
      createRestorer(masked.at(-1)?.content.placeholders ?? new Map(), {
        restore: leaves && settings.redaction.restore,
      }),
  }
}

export const toOptions = ({ name, prompt }: Prepared, more: Message[] = []): LanguageModelV4CallOptions => {
  const contract: Contract = tasks[name]
  return {
    prompt: [
      { role: 'system', content: prompt.instructions },
      ...[...prompt.messages, ...more].map(({ role, content }) => ({
        role,
        content: [{ type: 'text' as const, text: content }],
      })),
    ],
    maxOutputTokens: contract.tokensOutMax,
    ...(contract.format === 'json'
      ? {
          responseFormat: {
            type: 'json' as const,
            name,
            schema: z.toJSONSchema(contract.output) as NonNullable<
              Extract<LanguageModelV4CallOptions['responseFormat'], { type: 'json' }>['schema']
            >,
          },
        }
      : {}),
  }
}

/** What every line of the ledger says of a call. */
export const lineOf = ({ name, call, tier, route, policyVersion, prompt }: Prepared) => ({
  workspaceId: call.viewer.workspaceId,
  userId: call.viewer.userId,
  chatId: call.chatId ?? null,
  messageId: call.messageId ?? null,
  traceId: call.trace?.traceId ?? null,
  task: name,
  feature: call.feature,
  tier,
  route,
  policyVersion,
  ...promptIdentity(name, tasks[name].promptVersion, prompt.instructions),
})

/** What a replay needs, on the call's span. `written` is all that came, also what was begun anew later. */
const explain = (prepared: Prepared, more: readonly Message[], written: string, end: ModelEnd | undefined): void => {
  const { call, name, recorded, mask } = prepared
  if (!call.span) return
  call.span.set({
    parameters: { maxOutputTokens: tasks[name].tokensOutMax, format: tasks[name].format },
    prompt: [...recorded, ...more.map(({ role, content }) => ({ role, content: mask(content) }))],
    rawOutput: mask(written),
  })
  if (!end) return
  const { candidate, usage, servedModel, fingerprint, finish } = end
  call.span.set({
    provider: candidate.provider.name,
    providerKind: candidate.provider.kind,
    requestedModel: candidate.modelId,
    servedModel,
    fingerprint,
    finish,
    tokensIn: usage.in,
    tokensOut: usage.out,
    tokensCached: usage.cached,
    tokensReasoning: usage.reasoning,
  })
}

/** The metered call of a prepared task, with what a replay needs on its span. */
const run = async function* (
  prepared: Prepared,
  more: Message[],
  record: (lines: LedgerLine[]) => Promise<void> | void,
): AsyncGenerator<MeteredEvent> {
  const { call, settings, candidates, tokensIn, name } = prepared
  const contract: Contract = tasks[name]
  let written = ''
  let end: ModelEnd | undefined
  let asked: Candidate | undefined
  const watch = watchAsked(call.viewer.workspaceId, () => asked)
  try {
    for await (const event of meteredCall({
      viewer: call.viewer,
      settings,
      candidates,
      options: toOptions(prepared, more),
      lane: contract.lane,
      signal: call.signal ? AbortSignal.any([call.signal, watch.signal]) : watch.signal,
      onTurn: (candidate) => {
        asked = candidate
      },
      tokensIn,
      tokensOutMax: contract.tokensOutMax,
      line: lineOf(prepared),
      about: (ended, replaced) => ({
        ...savingsOf(ended, candidates, call.droppedTokens),
        flags: [
          prepared.masked && 'masked',
          more.length > 0 && 'repaired',
          ended.candidate !== candidates[0] && 'fell-back',
          replaced && 'replaced',
        ].filter((flag) => flag !== false),
      }),
      onReceived: (received) => call.span?.set({ received: prepared.mask(received) }),
      record,
    })) {
      if (event.type === 'text') written += event.text
      else if (event.type === 'end') end = event.end
      yield event
    }
  } finally {
    watch.end()
    explain(prepared, more, written, end)
  }
}

/**
 * Writes an answer from sources, as it comes. `record` gets what it cost, at the end, to be stored in the transaction that stores
 * the answer. Throws `over-budget`, `tokens-limited`, `price-unknown`, `model-failed`, `model-misconfigured`, or the signal's reason.
 */
export const streamAnswer = async function* (
  input: TaskInput<'answer'>,
  call: TaskCall,
  record: (calls: LedgerLine[]) => void,
): AsyncGenerator<AnswerEvent> {
  const prepared = await prepare('answer', input, call)
  const filtered = () => ({
    restorer: prepared.restore(),
    filter: createOutputFilter({
      canary: prepared.boundary,
      allowedOrigins: ownOrigins(),
      // The standing orders are ours: an answer that repeats a line of them was told to.
      secrets: prepared.prompt.instructions.split('\n').filter((line) => line.length >= ownLineCharsMin),
    }),
  })
  let { restorer, filter } = filtered()
  const clean = (text: string): string => filter.push(restorer.push(text))
  for await (const event of run(prepared, [], record)) {
    if (event.type === 'text') {
      const text = clean(event.text)
      if (text) yield { type: 'text', text }
    } else if (event.type === 'replace') {
      ;({ restorer, filter } = filtered())
      yield event
    } else {
      const last = filter.push(restorer.end()) + filter.end()
      if (last) yield { type: 'text', text: last }
      const verdict = filter.verdict()
      call.trace?.open('filter', 'filter the answer').end(verdict.canary ? 'refused' : 'ok')
      // The boundary of the prompt is for no reader: an answer that has it was told to give the prompt away.
      if (verdict.canary) throw new AppError('answer-withheld', { context: { model: event.end.candidate.key } })
      const { end, costMicros } = event
      const kind = end.candidate.provider.kind === 'built-in' ? 'built-in' : 'provider'
      yield {
        type: 'end',
        model: { id: end.servedModel || end.candidate.modelId, kind },
        tokens: { in: end.usage.in, out: end.usage.out },
        costMicros,
        firstTokenMs: end.firstTokenMs,
        fellBack:
          kind === 'provider'
            ? null
            : prepared.candidates.length === 1
              ? prepared.barred.length > 0
                ? 'barred'
                : null
              : end.attempts.every(({ outcome }) => ['ok', 'misconfigured', 'model-gone'].includes(outcome))
                ? 'misconfigured'
                : 'no-answer',
        refused: end.finish === 'refused',
        modelKey: end.candidate.key,
      }
    }
  }
}

/** A shorter line may be said by accident. */
const ownLineCharsMin = 40

/** Where a link in an answer may lead: to this installation. */
const ownOrigins = (): string[] => {
  const { authUrl } = env()
  return authUrl ? [new URL(authUrl).origin] : []
}

/** Repairs a model may try on its output; each is told what was wrong. */
const repairsMax = 2
const repairBackoffMs = 150

/** The JSON object in what a model wrote: bare, fenced, or with words around it. Throws when there is none. */
export const readJson = (text: string): unknown => {
  const fenced = /```(?:json)?\s*([\s\S]*?)```/.exec(text)?.[1] ?? text
  const from = fenced.indexOf('{')
  const to = fenced.lastIndexOf('}')
  if (from < 0 || to < from) throw new Error('there is no JSON object in it')
  return JSON.parse(fenced.slice(from, to + 1))
}

export type TaskResult<Name extends TaskName> = {
  output: TaskOutput<Name>
  /** Null: done without a model. */
  model: string | null
  costMicros: number | null
  cached: boolean
  repairs: number
}

/** Names of the rules by which what a task returned is not to be used, and of those that only mark it. */
export const judgeOutput = (
  { name, settings }: Pick<Prepared, 'name' | 'settings'>,
  output: unknown,
): { withheldBy: string[]; markedBy: string[] } => {
  const met = rulesMet(settings.policy.rules, name, { text: outputText(output), citations: 0 })
  const named = (wanted: string): string[] => met.filter(({ act }) => act === wanted).map((rule) => rule.name)
  return { withheldBy: named('withhold'), markedBy: named('warn') }
}

/**
 * Does a task and hands back its checked output. The same input is not paid for twice. Without a model, or when none did it well,
 * the task is done in its built-in way; where it has none, throws as `streamAnswer`. What meets a rule of the workspace counts as not
 * done well; `answer-withheld` when the built-in way meets it too.
 */
export const runTask = async <Name extends Exclude<TaskName, 'answer'>>(
  name: Name,
  input: TaskInput<Name>,
  call: TaskCall,
): Promise<TaskResult<Name>> => {
  const contract: Contract = tasks[name]
  const prepared = await prepare(name, input, call)
  const local = (): TaskResult<Name> => {
    if (!contract.local)
      throw new AppError('model-failed', { context: { task: name, reason: 'no model is configured' } })
    const done = contract.output.parse((contract.local as (input: unknown) => unknown)(contract.input.parse(input)))
    const { withheldBy } = judgeOutput(prepared, done)
    if (withheldBy.length > 0)
      throw new AppError('answer-withheld', {
        message: `What was made is withheld by a rule of this workspace: ${withheldBy.join(', ')}. An admin can look at the rule under Policy.`,
        context: { task: name, withheldBy },
      })
    return {
      output: done as TaskOutput<Name>,
      model: null,
      costMicros: 0,
      cached: false,
      repairs: 0,
    }
  }
  const [first] = prepared.candidates
  if (!first) return local()
  const { db } = database()
  const inputHash = hashOf(JSON.stringify([name, contract.promptVersion, first.key, contract.input.parse(input)]))
  const keeps = contract.kept !== false
  const kept = keeps
    ? await getTaskResult(db, { workspaceId: call.viewer.workspaceId, task: name, inputHash })
    : undefined
  const known = kept === undefined ? undefined : contract.output.safeParse(kept)
  if (known?.success) {
    // A rule that came since holds for what was kept before.
    if (judgeOutput(prepared, known.data).withheldBy.length > 0) return local()
    return { output: known.data as TaskOutput<Name>, model: first.modelId, costMicros: 0, cached: true, repairs: 0 }
  }

  const span = call.trace?.open(name, `${name}: ${first.modelId}`)
  let costMicros: number | null = 0
  let outcome = 'its output could not be read'
  try {
    const more: Message[] = []
    for (let repairs = 0; repairs <= repairsMax; repairs += 1) {
      let text = ''
      let model = first.modelId
      const restorer = prepared.restore()
      for await (const event of run({ ...prepared, call: { ...call, ...(span ? { span } : {}) } }, more, (lines) =>
        insertModelCalls(db, lines),
      )) {
        if (event.type === 'text') text += event.text
        else if (event.type === 'replace') text = ''
        else {
          model = event.end.servedModel || event.end.candidate.modelId
          costMicros = event.costMicros === null || costMicros === null ? null : costMicros + event.costMicros
        }
      }
      try {
        const output = contract.output.parse(readJson(restorer.push(text) + restorer.end())) as TaskOutput<Name>
        const { withheldBy, markedBy } = judgeOutput(prepared, output)
        if (withheldBy.length > 0) {
          outcome = `withheld by ${withheldBy.join(', ')}`
          break
        }
        if (markedBy.length > 0) span?.set({ markedBy })
        if (keeps) await keepTaskResult(db, { workspaceId: call.viewer.workspaceId, task: name, inputHash, output })
        span?.set({ model, repairs })
        span?.cost(costMicros)
        span?.end()
        return { output, model, costMicros, cached: false, repairs }
      } catch (error) {
        if (repairs === repairsMax) break
        const fault = error instanceof z.ZodError ? z.prettifyError(error) : String((error as Error).message)
        more.push(
          { role: 'assistant', content: text.slice(0, 4_000) || '(nothing)' },
          { role: 'user', content: `That could not be read: ${fault.slice(0, 800)}\nReply with the JSON object only.` },
        )
        await pause(repairBackoffMs * 2 ** repairs, undefined, call.signal ? { signal: call.signal } : {})
      }
    }
    span?.set({ repairs: repairsMax, outcome })
  } catch (error) {
    span?.set({
      error: error instanceof Error ? error.name : 'unknown',
      ...(error instanceof AppError ? { code: error.code } : {}),
    })
    // While all answers are off nothing stands in for a model.
    const allOff = error instanceof AppError && error.context.kind === 'generation'
    if (call.signal?.aborted || !(error instanceof AppError) || allOff || !contract.local) {
      span?.end('failed')
      throw error
    }
  }
  span?.end('failed')
  return { ...local(), costMicros }
}
