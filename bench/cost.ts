/**
 * What each lever on the bill saves, and what it costs in quality: one recorded day of questions replayed through the product's own
 * search, cache, routing, prompts and gateway, against models of known prices behind an address of ours. Every lever alone against
 * everything off, then all together.
 *
 *   node bench/cost.ts DIR [--json] [--only WORDS]   DIR holds mtrag/, question-pairs/ and routing/ (see `dayFiles` in cost-day.ts)
 *
 * What it shows and what it does not: the questions, documents, searches, prompts, tokens, cache hits and routes are real runs of the
 * product. The models are not: who is right is drawn from a public record of a weak and a strong model, and a model that is right
 * finds the expected sentence whenever it is among its sources. How often a day repeats itself is made (printed below), and what
 * the caches save follows from it. Two figures flatter the product: its routing learned from the same record of weak and strong, and
 * how excerpts are made was chosen on the conversations of the same set.
 */
import './scratch.ts'
import { closeDatabase, database, holdDatabase, rows, sql } from '#db/client.ts'
import { openMemoryDatabase } from '#db/open.ts'
import { upsertCollection } from '#db/queries/documents.ts'
import { createScratchDocument } from '#db/queries/evaluation.ts'
import { storeGatewaySettings } from '#db/queries/gateway-settings.ts'
import { claimVersion } from '#db/queries/ingest.ts'
import { insertModelCalls } from '#db/queries/model-calls.ts'
import { insertModel, insertProvider } from '#db/queries/models.ts'
import { createWorkspace, upsertAccount } from '#db/queries/people.ts'
import { accessFingerprint } from '#db/visibility.ts'
import { indexParsed } from '#ingestion/pipeline.ts'
import { conversationContext } from '#lib/chat/context.ts'
import { standaloneQuestion } from '#lib/chat/follow-up.ts'
import { respond } from '#lib/chat/index.ts'
import { findKept, remember } from '#lib/chat/kept.ts'
import type { Candidate } from '#lib/gateway/call.ts'
import { knownCostOf, priceTableVersion } from '#lib/gateway/cost.ts'
import {
  type AnswerEvent,
  closeGateway,
  embeddingModel,
  type LedgerLine,
  runTask,
  streamAnswer,
  warmGateway,
} from '#lib/gateway/index.ts'
import { forgetSettings } from '#lib/gateway/settings.ts'
import { createCiter, type Evidence, retrieve } from '#lib/rag/index.ts'
import { shortened } from '#lib/rag/pack.ts'
import { gatewaySettingsSchema, type Tier, tiers } from '#lib/shared/gateway-settings.ts'
import { newId } from '#lib/shared/ids.ts'
import type { Viewer } from '#lib/shared/viewer.ts'
import { startTrace } from '#lib/trace.ts'
import { type Day, type DayQuestion, makeDay, missingFiles } from './cost-day.ts'
import { bare, type CostProvider, type PrefixCache, startCostProvider } from './cost-provider.ts'
import { printMachine, printRows, type Row } from './report.ts'

/** Prices of the models behind our address are those of these, from the price table that comes with the product. */
const modelOfTier: Record<Tier, string> = { fast: 'gpt-5.4-nano', standard: 'gpt-5.4-mini', flagship: 'gpt-5.4' }
const tierOfModel = new Map(tiers.map((tier) => [modelOfTier[tier], tier]))

/** As `lib/chat` has them. */
const evidenceTokensMax = 3_000
const historyTokensMax = 1_200
const rewriteTurns = 6
/** A client that waits for the whole answer gives up after so long, asks again, and pays for both; it tries three times. */
const patienceMs = 15_000
const notesInOneCall = 4
/** What vendors ask for a call through their batch interfaces, of the price of one at once. */
const batchPriceShare = 0.5
/** OpenAI's rule: from 1,024 tokens, in steps of 128, kept for some minutes. */
const publishedPrefixCache = { tokensMin: 1_024, tokensStep: 128, keptMs: 600_000 }

type Levers = {
  routing: boolean
  exact: boolean
  semantic: boolean
  ttlSeconds: number
  wrongHitsMax: number
  /** Tokens of evidence to which it is cut, by leaving out sentences, or the last passages whole; null leaves it. */
  excerptTokensMax: number | null
  wholePassages: boolean
  prefix: PrefixCache
  batching: boolean
  /** Through a provider's batch interface, at half the price. */
  batchPrice: boolean
  streaming: boolean
}
const off: Levers = {
  routing: false,
  exact: false,
  semantic: false,
  ttlSeconds: 86_400,
  wrongHitsMax: 0.02,
  excerptTokensMax: null,
  wholePassages: false,
  prefix: null,
  batching: false,
  batchPrice: false,
  streaming: false,
}
const on: Levers = {
  ...off,
  routing: true,
  exact: true,
  semantic: true,
  excerptTokensMax: 1_400,
  prefix: publishedPrefixCache,
  batching: true,
  batchPrice: true,
  streaming: true,
}
const arms: { name: string; levers: Levers }[] = [
  { name: 'everything off', levers: off },
  { name: 'routing', levers: { ...off, routing: true } },
  { name: 'exact cache, kept a day', levers: { ...off, exact: true } },
  { name: 'and semantic, wrong at most 2 %', levers: { ...off, exact: true, semantic: true } },
  { name: 'and semantic, wrong at most 10 %', levers: { ...off, exact: true, semantic: true, wrongHitsMax: 0.1 } },
  { name: 'both caches, kept an hour (default)', levers: { ...off, exact: true, semantic: true, ttlSeconds: 3_600 } },
  ...[1_400, 900].flatMap((excerptTokensMax) => [
    { name: `excerpts of ${excerptTokensMax} tokens`, levers: { ...off, excerptTokensMax } },
    { name: `whole passages, ${excerptTokensMax} tokens`, levers: { ...off, excerptTokensMax, wholePassages: true } },
  ]),
  { name: 'stable prefix, from 1,024 tokens', levers: { ...off, prefix: publishedPrefixCache } },
  {
    name: 'stable prefix, from the first token',
    levers: { ...off, prefix: { ...publishedPrefixCache, tokensMin: 1, tokensStep: 1 } },
  },
  { name: `${notesInOneCall} notes in one call`, levers: { ...off, batching: true } },
  { name: `the same at the batch price`, levers: { ...off, batching: true, batchPrice: true } },
  { name: 'streaming, nothing asked twice', levers: { ...off, streaming: true } },
  { name: 'all on, caches kept an hour (default)', levers: { ...on, ttlSeconds: 3_600 } },
  { name: 'all on', levers: on },
  { name: 'all on, excerpts of 900 tokens', levers: { ...on, excerptTokensMax: 900 } },
  { name: 'all on but routing', levers: { ...on, routing: false } },
]

/** A hosted model of that name, for its price alone. */
const priced = (modelId: string): Candidate =>
  ({
    key: modelId,
    provider: { id: 'priced', name: 'priced', kind: 'openai', local: false, baseUrl: undefined },
    modelId,
    price: undefined,
  }) as unknown as Candidate

const priceOfLine = (line: { model: string; in: number; out: number; cached: number }): number => {
  const micros = knownCostOf(priced(line.model), line)
  if (micros === null) throw new Error(`no price for ${line.model}`)
  return micros
}

type Outcome = {
  /** Null: no fact is known. */
  right: boolean | null
  from: 'model' | 'exact' | 'semantic' | 'nothing found'
  /** The cache gave it, and it was another question's. */
  wrongHit: boolean
}
type Result = {
  name: string
  micros: number
  byTask: Map<string, number>
  outcomes: Outcome[]
  calls: Map<string, number>
  askedTwice: number
  droppedTokens: number
  tokensIn: number
  tokensCached: number
  prefixes: { chars: number; same: number }
  seconds: number
}

type Stage = {
  viewer: Viewer
  provider: CostProvider
  providerId: string
  day: Day
  evidence: Map<string, Evidence>
  searched: Map<DayQuestion, string>
}

const setUp = async (day: Day): Promise<Stage> => {
  const { db } = database()
  const names = { name: 'Bench', email: 'bench@scratch.local' }
  const viewer: Viewer = { userId: newId(), workspaceId: newId(), role: 'admin', ...names }
  await createWorkspace(db, { id: viewer.workspaceId, name: 'Bench' })
  await upsertAccount(db, { ...viewer, passwordHash: 'none' })
  const questions = new Map(day.questions.map((one) => [bare(one.text), one]))
  const provider = await startCostProvider({
    answerTo: (question, model) => {
      const known = questions.get(bare(question))
      const tier = tierOfModel.get(model)
      if (!known || !tier) throw new Error(`nobody asked ${question} of ${model}`)
      return { fact: known.fact, right: known.right[tier] }
    },
    standalone: standaloneQuestion,
  })
  const providerId = newId()
  await insertProvider(db, {
    id: providerId,
    workspaceId: viewer.workspaceId,
    name: 'bench',
    kind: 'compatible',
    baseUrl: provider.url,
    sealedKey: null,
    keyHint: null,
    // On this machine; its price is that of the hosted models it stands for, and is counted here.
    local: true,
    enabled: true,
    requestsPerMinute: null,
    tokensPerMinute: null,
  })
  for (const [position, tier] of tiers.entries())
    await insertModel(db, {
      id: newId(),
      workspaceId: viewer.workspaceId,
      providerId,
      modelId: modelOfTier[tier],
      tier,
      position,
      contextTokensMax: 128_000,
      inputMicrosPerMillion: null,
      outputMicrosPerMillion: null,
      cachedMicrosPerMillion: null,
      enabled: true,
    })
  const collectionId = await upsertCollection(db, viewer, { id: newId(), name: 'Bench' })
  for (const { name, title, text } of day.documents) {
    const claim = await claimVersion(db, await createScratchDocument(db, viewer, { collectionId, name: `${name}.txt` }))
    if (!claim) throw new Error('no claim')
    const blocks = [{ kind: 'paragraph' as const, start: 0, end: text.length }]
    await indexParsed(claim, { kind: 'text', title, text, blocks, pages: [] }, new AbortController().signal)
  }
  return { viewer, provider, providerId, day, evidence: new Map(), searched: new Map() }
}

let settingsVersion = 0
const setLevers = async ({ viewer, provider, providerId }: Stage, levers: Levers): Promise<void> => {
  const { db } = database()
  const flagship = `${providerId}/${modelOfTier.flagship}`
  const settings = gatewaySettingsSchema.parse({
    cache: {
      exact: levers.exact,
      semantic: levers.semantic,
      ttlSeconds: levers.ttlSeconds,
      wrongHitsMax: levers.wrongHitsMax,
    },
    tokenLimits: { userMinute: null, workspaceMinute: null },
    // Without routing the flagship does everything.
    ...(levers.routing
      ? {}
      : {
          routing: { standardFrom: 0, flagshipFrom: 0 },
          taskModels: { rewrite: flagship, summarise: flagship },
        }),
  })
  const stored = await storeGatewaySettings(db, viewer.workspaceId, settingsVersion, settings)
  if (stored === null) throw new Error('the settings were not stored')
  settingsVersion = stored
  forgetSettings(viewer.workspaceId)
  provider.setPrefixCache(levers.prefix)
  for (const table of ['answer_cache', 'task_results', 'model_calls'])
    await db.execute(sql.raw(`truncate ${table} cascade`))
}

type Asked = { stage: Stage; levers: Levers; question: DayQuestion }

const searchFor = async ({
  stage: { viewer, evidence, searched: all },
  question,
}: Asked): Promise<[string, Evidence]> => {
  const earlier = question.history.filter(({ role }) => role === 'user').map(({ content }) => content)
  const local = standaloneQuestion(question.text, earlier)
  const searched =
    local === question.text
      ? question.text
      : (
          await runTask(
            'rewrite',
            {
              question: question.text,
              history: conversationContext(question.history.slice(-rewriteTurns), historyTokensMax).messages,
            },
            { viewer, feature: 'chat.rewrite' },
          )
        ).output.question
  // The documents are the same in every arm, and so is what is found: a search is made once.
  const known = evidence.get(searched)
  const found = known ?? (await retrieve(searched, viewer, { tokensMax: evidenceTokensMax }))
  evidence.set(searched, found)
  all.set(question, searched)
  return [searched, found]
}

/** For comparison with `shortened`: the first passages that fit, and nothing of the others. */
const firstWhole: typeof shortened = (_, passages, { tokensMax }) => {
  let left = tokensMax
  let droppedTokens = 0
  const kept = passages.filter(({ tokens }, at) => {
    const fits = at === 0 || tokens <= left
    if (fits) left -= tokens
    else droppedTokens += tokens
    return fits
  })
  return { passages: kept, droppedTokens }
}

type Written = { text: string; end: Extract<AnswerEvent, { type: 'end' }>; droppedTokens: number }

const write = async (
  { stage: { viewer }, levers, question }: Asked,
  evidence: Evidence,
): Promise<Written & { citer: ReturnType<typeof createCiter>; citations: Citations }> => {
  const { messages, savedTokens } = conversationContext(question.history, historyTokensMax)
  const { passages, droppedTokens: spared } =
    levers.excerptTokensMax === null
      ? { passages: evidence.passages, droppedTokens: 0 }
      : (levers.wholePassages ? firstWhole : shortened)(evidence.question, evidence.passages, {
          tokensMax: levers.excerptTokensMax,
        })
  const droppedTokens = savedTokens + spared
  const citer = createCiter(evidence)
  const lines: LedgerLine[] = []
  const citations: Citations = []
  let text = ''
  let end: Written['end'] | undefined
  const take = (events: ReturnType<typeof citer.end>): void => {
    for (const event of events)
      if (event.type === 'text') text += event.text
      else citations.push(event.citation)
  }
  const asked = { question: question.text, passages: evidence.passages }
  const stream = streamAnswer(
    { question: question.text, history: messages, passages },
    { viewer, feature: 'chat', asked },
    (rows) => lines.push(...rows),
  )
  for await (const event of stream)
    if (event.type === 'text') take(citer.push(event.text))
    else if (event.type === 'end') end = event
    else throw new Error('a model was replaced')
  take(citer.end())
  if (!end) throw new Error('an answer without an end')
  await insertModelCalls(database().db, lines)
  return { text, end, droppedTokens, citer, citations }
}
type Citations = Parameters<typeof remember>[3]['citations'][number][]

type Kept = Map<string, { atMs: number; fact: string | null; text: string }>

/** Takes away what is too old by the clock of the day: the replay itself takes a minute. */
const expire = async (kept: Kept, nowMs: number, ttlSeconds: number): Promise<void> => {
  const old = [...kept].filter(([, { atMs }]) => nowMs - atMs >= ttlSeconds * 1_000).map(([question]) => question)
  if (old.length === 0) return
  for (const question of old) kept.delete(question)
  const list = sql.join(
    old.map((question) => sql`${question}`),
    sql`, `,
  )
  await database().db.execute(sql`delete from answer_cache where question in (${list})`)
}

const rightOf = (text: string, fact: string | null): boolean | null =>
  fact === null ? null : bare(text.replace(/\[\^\d+\]/g, '')).includes(bare(fact))

const ask = async (asked: Asked, kept: Kept): Promise<Outcome & { droppedTokens: number; askedTwice: number }> => {
  const { stage, levers, question } = asked
  const { viewer, provider } = stage
  provider.setMoment(question.atMs, question.chat)
  const [searched, evidence] = await searchFor(asked)
  const nothing = { droppedTokens: 0, askedTwice: 0, wrongHit: false }
  if (!evidence.found) return { right: question.fact === null ? null : false, from: 'nothing found', ...nothing }

  const trace = startTrace({ viewer, question: question.text })
  const access = await accessFingerprint(database().db, viewer)
  const turn = { viewer, chatId: newId(), answerId: newId(), question: question.text, collectionIds: [], access }
  const cached = (levers.exact || levers.semantic) && searched === question.text
  if (cached) await expire(kept, question.atMs, levers.ttlSeconds)
  const looked = cached ? await findKept(turn, evidence, trace) : null
  if (looked?.hit) {
    const { text, line } = looked.hit
    await insertModelCalls(database().db, [line])
    const right = rightOf(text, question.fact)
    // Wrong is an answer to another question; one that was wrong when it was written is the model's fault.
    const wrongHit = ![...kept.values()].some((one) => one.text === text && one.fact === question.fact)
    return { right, from: line.cache === 'exact' ? 'exact' : 'semantic', ...nothing, wrongHit }
  }
  const { text, end, droppedTokens, citer, citations } = await write(asked, evidence)
  // A client that waits for the whole answer asks again; what it asked before is written to its end, and both are paid for.
  let askedTwice = 0
  while (!levers.streaming && askedTwice < 2 && (question.writingMs[askedTwice] ?? 0) > patienceMs) {
    askedTwice += 1
    provider.setMoment(question.atMs + askedTwice * patienceMs, `${question.chat} again`)
    await write(asked, evidence)
  }
  if (looked && !looked.hit) {
    const { claims } = citer.summary()
    await remember(turn, evidence, looked.miss, { text, citations, end, claims, degraded: end.fellBack !== null })
    kept.set(question.text, { atMs: question.atMs, fact: question.fact, text })
  }
  return { right: rightOf(text, question.fact), from: 'model', ...nothing, droppedTokens, askedTwice }
}

const summariseNotes = async ({ viewer, day }: Stage, levers: Levers): Promise<void> => {
  const size = levers.batching ? notesInOneCall : 1
  for (let from = 0; from < day.notes.length; from += size) {
    const some = day.notes.slice(from, from + size)
    const input =
      some.length === 1 && some[0]
        ? some[0]
        : {
            title: `${some.length} notes`,
            text: some.map(({ title, text }) => `### ${title}\n${text}`).join('\n\n'),
          }
    await runTask('summarise', input, { viewer, feature: 'document.summary' })
  }
}

const replay = async (stage: Stage, { name, levers }: (typeof arms)[number]): Promise<Result> => {
  const startedMs = performance.now()
  await setLevers(stage, levers)
  const kept: Kept = new Map()
  const outcomes: Outcome[] = []
  let droppedTokens = 0
  let askedTwice = 0
  for (const question of stage.day.questions) {
    const outcome = await ask({ stage, levers, question }, kept)
    outcomes.push(outcome)
    droppedTokens += outcome.droppedTokens
    askedTwice += outcome.askedTwice
  }
  await summariseNotes(stage, levers)
  const lines = await rows<{ task: string; model: string; in: number; out: number; cached: number }>(
    database().db,
    sql`select task, requested_model as model, tokens_in as in, tokens_out as out, tokens_cached as cached
      from model_calls where cache is null and outcome = 'ok'`,
  )
  const [{ failed } = { failed: 0 }] = await rows<{ failed: number }>(
    database().db,
    sql`select count(*)::int as failed from model_calls where outcome <> 'ok'`,
  )
  if (failed > 0) throw new Error(`${failed} calls failed`)
  const byTask = new Map<string, number>()
  const calls = new Map<string, number>()
  for (const line of lines) {
    const part = levers.batchPrice && line.task === 'summarise' ? batchPriceShare : 1
    byTask.set(line.task, (byTask.get(line.task) ?? 0) + part * priceOfLine(line))
    if (line.task === 'answer') calls.set(line.model, (calls.get(line.model) ?? 0) + 1)
  }
  return {
    name,
    micros: [...byTask.values()].reduce((sum, value) => sum + value, 0),
    byTask,
    outcomes,
    calls,
    askedTwice,
    droppedTokens,
    tokensIn: lines.reduce((sum, line) => sum + line.in, 0),
    tokensCached: lines.reduce((sum, line) => sum + line.cached, 0),
    prefixes: stage.provider.prefixes(),
    seconds: (performance.now() - startedMs) / 1_000,
  }
}

/** Two-sided sign test: how likely so uneven a split of the answers that differ is by chance. */
const signTest = (lost: number, gained: number): number => {
  const total = lost + gained
  const logFactorial = (of: number): number => {
    let sum = 0
    for (let i = 2; i <= of; i += 1) sum += Math.log(i)
    return sum
  }
  let tail = 0
  for (let i = 0; i <= Math.min(lost, gained); i += 1)
    tail += Math.exp(logFactorial(total) - logFactorial(i) - logFactorial(total - i) - total * Math.LN2)
  return Math.min(1, 2 * tail)
}

const share = (part: number, of: number): string => (of === 0 ? '-' : `${((100 * part) / of).toFixed(1)} %`)

const rowOf = (result: Result, base: Result): Row => {
  const judged = result.outcomes.filter(({ right }) => right !== null)
  const right = judged.filter((one) => one.right).length
  const wasRight = base.outcomes.filter((one) => one.right).length
  const lost = result.outcomes.filter((one, at) => one.right === false && base.outcomes[at]?.right === true).length
  const gained = result.outcomes.filter((one, at) => one.right === true && base.outcomes[at]?.right === false).length
  const hits = result.outcomes.filter(({ from }) => from === 'exact' || from === 'semantic').length
  return {
    lever: result.name,
    'day USD': (result.micros / 1_000_000).toFixed(4),
    saved: share(base.micros - result.micros, base.micros),
    quality: share(right, judged.length),
    change: `${right - wasRight >= 0 ? '+' : ''}${((100 * (right - wasRight)) / judged.length).toFixed(1)}`,
    '±': (
      (196 * Math.sqrt(Math.max(0, lost + gained - (right - wasRight) ** 2 / judged.length))) /
      judged.length
    ).toFixed(1),
    lost,
    gained,
    p: signTest(lost, gained).toFixed(3),
    'answers by fast/std/flag': tiers.map((tier) => result.calls.get(modelOfTier[tier]) ?? 0).join('/'),
    hits,
    'wrong hits': result.outcomes.filter(({ wrongHit }) => wrongHit).length,
    'asked again': result.askedTwice,
    'tokens left out': result.droppedTokens,
    'cached in': share(result.tokensCached, result.tokensIn),
    seconds: result.seconds.toFixed(0),
  }
}

/** The same message sent again while its answer is written, through the product's own door to an answer: how often it is paid for. */
const sentTwice = async ({ viewer, provider, day }: Stage): Promise<number> => {
  const question = day.questions.find(({ as }) => as === 'new')
  if (!question) return 0
  await database().db.execute(sql.raw('truncate model_calls'))
  provider.setMoment(question.atMs, 'sent twice')
  const request = {
    chatId: newId(),
    messageId: newId(),
    text: question.text,
    trigger: 'submit' as const,
    collectionIds: [],
  }
  const read = async (): Promise<void> => {
    for await (const _ of await respond(request, viewer));
  }
  await Promise.all([read(), read()])
  const [{ calls } = { calls: 0 }] = await rows<{ calls: number }>(
    database().db,
    sql`select count(*)::int as calls from model_calls where task = 'answer' and cache is null`,
  )
  return calls
}

/** How much of what the reference answers say is still in the sources, where they are cut: what no model could say any more. */
const printExcerpts = ({ day, evidence, searched }: Stage): void => {
  const asked = day.questions.flatMap((question) => {
    const found = evidence.get(searched.get(question) ?? '')
    return question.fact && found?.found ? [{ question, fact: question.fact, found }] : []
  })
  const reach = asked.filter(({ fact, found }) => found.passages.some(({ text }) => bare(text).includes(bare(fact))))
  console.log(
    `\nExcerpts: of ${reach.length} questions whose expected sentence was found, the share that still has it, and the tokens of evidence`,
  )
  printRows(
    [3_000, 1_400, 900, 600].flatMap((tokensMax) =>
      [false, true].map((wholePassages) => {
        const all = reach.map((one) => ({
          ...one,
          sent: (wholePassages ? firstWhole : shortened)(one.found.question, one.found.passages, { tokensMax })
            .passages,
        }))
        const tokens = all.reduce((sum, { sent }) => sum + sent.reduce((total, one) => total + one.tokens, 0), 0)
        const still = (kind: 'conversation' | 'desk') => {
          const own = all.filter(({ question }) => (question.as === 'conversation') === (kind === 'conversation'))
          const has = own.filter(({ sent, fact }) => sent.some(({ text }) => bare(text).includes(bare(fact))))
          return `${share(has.length, own.length)} of ${own.length}`
        }
        return {
          'tokens at most': tokensMax,
          of: wholePassages ? 'whole passages' : 'excerpts',
          'in conversations': still('conversation'),
          'at the desk': still('desk'),
          'tokens a question': (tokens / all.length).toFixed(0),
        }
      }),
    ),
  )
}

const run = async (folder: string): Promise<void> => {
  const startedMs = performance.now()
  printMachine(['@electric-sql/pglite', '@pydantic/genai-prices', 'onnxruntime-node', 'ai'])
  const day = await makeDay(folder)
  holdDatabase(await openMemoryDatabase())
  await warmGateway()
  const stage = await setUp(day)
  for (const line of day.made) console.log(line)
  const perMillion = (tier: Tier): string => {
    const million = { in: 0, out: 0, cached: 0 }
    const dollars = (tokens: Partial<typeof million>): string =>
      `${(knownCostOf(priced(modelOfTier[tier]), { ...million, ...tokens }) ?? 0) / 100_000}`
    return `${tier} ${modelOfTier[tier]} ${dollars({ in: 100_000 })}/${dollars({ in: 100_000, cached: 100_000 })}/${dollars({ out: 100_000 })}`
  }
  console.log(`USD a million tokens in/cached/out (${priceTableVersion}): ${tiers.map(perMillion).join(', ')}.`)
  console.log(
    `Documents embedded by ${embeddingModel().id}; ready after ${((performance.now() - startedMs) / 1_000).toFixed(0)} s`,
  )
  const wanted = process.argv.indexOf('--only')
  const words = wanted > 0 ? (process.argv[wanted + 1] ?? '') : ''
  const results: Result[] = []
  for (const arm of arms.filter(({ name }, at) => at === 0 || name.includes(words))) {
    results.push(await replay(stage, arm))
    process.stderr.write(`${arm.name}: ${results.at(-1)?.seconds.toFixed(0)} s\n`)
  }
  const [base] = results
  if (!base) throw new Error('nothing was replayed')
  await setLevers(stage, off)
  const paid = await sentTwice(stage)
  printExcerpts(stage)
  console.log(`\nThe same message sent twice while its answer was written: ${paid} answer paid for.`)
  const { chars, same } = base.prefixes
  console.log(
    `Of what stood before the sources in a turn, ${share(same, chars)} began the prompt of the conversation's next turn unchanged.`,
  )
  console.log(`${((performance.now() - startedMs) / 1_000).toFixed(0)} s in all.`)
  const cost = [...base.byTask].map(([task, micros]) => `${task} ${share(micros, base.micros)}`).join(', ')
  const found = base.outcomes.filter(({ from }) => from === 'nothing found').length
  console.log(
    `With everything off the day's cost is ${cost}; to ${found} questions nothing was found and no model asked.`,
  )
  console.log(
    `Quality: the share of the questions with an expected fact whose answer has it. p: chance of so uneven a change (sign test); from .05 on no loss was measured. ±: half the 95 % interval of the change, in points.\n`,
  )
  printRows(results.map((result) => rowOf(result, base)))
  await stage.provider.close()
  await closeGateway()
  await closeDatabase()
}

const [folder] = process.argv.slice(2).filter((argument) => !argument.startsWith('--'))
const missing = folder === undefined ? ['DIR'] : missingFiles(folder)
if (folder === undefined || missing.length > 0) {
  console.error(
    folder === undefined
      ? 'Say where the sets are: npm run bench:cost -- DIR'
      : `not there: ${missing.map((file) => `${folder}/${file}`).join(', ')}`,
  )
  process.exitCode = 2
} else await run(folder)
