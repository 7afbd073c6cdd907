/**
 * Checks an answer while it streams: each sentence as soon as it is finished, so that at the end only the last one is left. Words are
 * compared in turns of the event loop of their own, meanings on the encoder's threads.
 */
import { setImmediate as turn } from 'node:timers/promises'
import { log } from '#lib/log.ts'
import type { CiteEvent, Evidence } from '#lib/rag/index.ts'
import type { Citation } from '#lib/shared/chat-contract.ts'
import { supportWords } from '#lib/shared/support.ts'
import { type Claim, createClaimReader } from './claims.ts'
import { chanceOf, confidenceOf, withJudge, wordsOf } from './confidence.ts'
import { findContradictions } from './contradictions.ts'
import { judgeSupport, likelyNearest, type ReadPassage, readClaim, readPassage } from './support.ts'
import type { Contradiction, Judge, Meaning, SentenceVerdict, Verification, Verifier, VerifierCall } from './verdict.ts'

/** From this chance on a sentence counts as supported. */
const supportedFrom = 0.5
/** Of a sentence that names no source, whatever the passages hold. */
const sourcelessMax = 0.3
/** The encoder and the judge are waited for so long, then done without. */
const meaningPatienceMs = 1_500
const judgePatienceMs = 15_000
/** As much of a sentence as tells which sentences of the passages it is about. */
const prepareEveryChars = 60
/** What a judge reads of the passages behind one sentence. */
const judgedCharsMax = 6_000

const unchecked = 'The answer could not be checked.'
/** What claims nothing cannot be wrong, and nobody has to look at it. */
const abstention = { confidence: 1, reasons: ['It says that the documents do not answer this.'] }

/** What `promised` gives, or `otherwise` when it fails or takes too long. */
const within = async <Value>(patienceMs: number, promised: Promise<Value>, otherwise: Value): Promise<Value> => {
  const { promise: late, resolve } = Promise.withResolvers<Value>()
  const timer = setTimeout(() => resolve(otherwise), patienceMs)
  try {
    return await Promise.race([promised, late])
  } catch {
    return otherwise
  } finally {
    clearTimeout(timer)
  }
}

const dot = (a: Float32Array, b: Float32Array): number => {
  let sum = 0
  for (let at = 0; at < a.length; at++) sum += (a[at] ?? 0) * (b[at] ?? 0)
  return sum
}

type Compare = {
  (text: string, others: readonly string[]): Promise<number | null>
  /** Has them ready. */
  prepare(texts: readonly string[]): void
}

/** How near a text is to the nearest of others, 0 to 1. Every text is encoded once, and those of one turn together. */
const createCompare = ({ encode, unlike }: Meaning): Compare => {
  const known = new Map<string, Promise<Float32Array | null>>()
  let waiting: { text: string; resolve: (vector: Float32Array | null) => void }[] = []
  const flush = async (): Promise<void> => {
    await turn()
    const batch = waiting
    waiting = []
    const vectors = await within(meaningPatienceMs, encode(batch.map(({ text }) => text)), [])
    for (const [at, { resolve }] of batch.entries()) resolve(vectors[at] ?? null)
  }
  const vectorOf = (text: string): Promise<Float32Array | null> => {
    const before = known.get(text)
    if (before) return before
    const { promise, resolve } = Promise.withResolvers<Float32Array | null>()
    known.set(text, promise)
    if (waiting.push({ text, resolve }) === 1) void flush()
    return promise
  }
  const nearest = async (text: string, others: readonly string[]): Promise<number | null> => {
    const [own, ...vectors] = await Promise.all([text, ...others].map(vectorOf))
    const cosines = vectors.flatMap((vector) => (own && vector ? [dot(own, vector)] : []))
    if (cosines.length === 0) return null
    return Math.min(1, Math.max(0, (Math.max(...cosines) - unlike) / (1 - unlike)))
  }
  return Object.assign(nearest, { prepare: (texts: readonly string[]) => texts.forEach((text) => void vectorOf(text)) })
}

type Checked = {
  verdict: SentenceVerdict
  toQuestion: number | null
  judge: 'off' | 'asked' | 'failed'
  remarks: boolean
}

type Passage = Evidence['passages'][number]

const readOf = ({ title, headingPath, context, text }: Passage): ReadPassage =>
  readPassage({ text, around: [title, ...headingPath, context].join('\n') })

const ask = async (judge: Judge, claim: string, passages: readonly ReadPassage[]) => {
  const passage = passages
    .map(({ around, text }) => `${around ?? ''}\n${text}`.trim())
    .join('\n\n')
    .slice(0, judgedCharsMax)
  return within(judgePatienceMs, judge({ claim, passage }), null)
}

/** The share of the question's words that the answer's claims take up. */
const wordFit = (question: string, texts: readonly string[]): number => {
  const asked = [...new Set(supportWords(question))]
  const said = new Set(texts.flatMap(supportWords))
  return asked.length === 0 ? 1 : asked.filter((word) => said.has(word)).length / asked.length
}

/** Those that the answer repeats one side of: what else the passages disagree on is not in it. */
const touched = (contradictions: readonly Contradiction[], sentences: readonly SentenceVerdict[]): Contradiction[] => {
  const said = sentences.filter(({ claims }) => claims).map(({ text }) => new Set(supportWords(text)))
  return contradictions.filter(({ sides }) =>
    sides.some(({ quote }) => {
      const words = [...new Set(supportWords(quote))]
      return said.some((sentence) => words.filter((word) => sentence.has(word)).length >= words.length / 2)
    }),
  )
}

/** Starts checking an answer to `question` from `evidence`: feed it what the citer gives, in order, then finish it. */
export const createVerifier = ({ question, evidence, meaning = null, judge = null }: VerifierCall): Verifier => {
  const reader = createClaimReader()
  const citations = new Map<number, Citation>()
  const passages = new Map(evidence.passages.map((passage) => [passage.chunkId, passage]))
  const read = new Map<string, ReadPassage>()
  const compare = meaning ? createCompare(meaning) : null
  const checks: Promise<Checked>[] = []
  /** The first thing that went wrong: then nothing is known of the answer. */
  let fault: unknown = null
  let finished: Promise<Verification> | null = null
  const contradictions = turn().then(() => findContradictions(evidence.passages))
  contradictions.catch(() => undefined)

  const readOnce = (chunkId: string, make: () => ReadPassage): ReadPassage => {
    const made = read.get(chunkId) ?? make()
    read.set(chunkId, made)
    return made
  }
  const behind = ({ chunkId, quote, title }: Citation): ReadPassage =>
    readOnce(chunkId, () => {
      const passage = passages.get(chunkId)
      // A kept answer may cite what was not found this time: its quote is the document's own words.
      return passage ? readOf(passage) : readPassage({ text: quote, around: title })
    })

  const everyPassage = (): ReadPassage[] =>
    evidence.passages.map((passage) => readOnce(passage.chunkId, () => readOf(passage)))

  const check = async (claim: Claim): Promise<Checked> => {
    await turn()
    const { text, start, end, ordinals } = claim
    const plain = { text, start, end, citations: ordinals, claims: claim.claims }
    if (!claim.claims)
      return {
        verdict: { ...plain, supported: true, score: null, reasons: [] },
        toQuestion: null,
        judge: 'off',
        remarks: claim.remarks,
      }
    const cited = ordinals.flatMap((ordinal) => citations.get(ordinal) ?? [])
    const lost = ordinals.filter((ordinal) => !citations.has(ordinal))
    const sources = cited.length > 0 ? [...new Set(cited.map(behind))] : everyPassage()
    const reading = readClaim(text, sources)
    const [nearness, toQuestion, verdict] = await Promise.all([
      compare?.(text, reading.nearest) ?? null,
      compare?.(text, [question]) ?? null,
      judge && cited.length > 0 ? ask(judge, text, sources) : null,
    ])
    const { score, agrees } = judgeSupport(reading, nearness)
    const chance = withJudge(chanceOf([score]), verdict)
    const bare = cited.length === 0
    // A figure that is nowhere is wrong, however well the rest fits.
    const wrongFigure = !bare && reading.findings.some(({ kind }) => kind === 'number' || kind === 'date')
    const supported = !bare && !wrongFigure && chance >= supportedFrom
    const reasons = [
      ...lost.map((ordinal) => `It cites [${ordinal}], which is not there.`),
      ...(bare ? [wordsOf({ kind: 'no-source' })] : reading.findings.map(wordsOf)),
      ...(verdict && !verdict.supported ? [`The judge: ${verdict.reason}`] : []),
    ]
    if (!supported && reasons.length === 0)
      reasons.push(wordsOf(agrees < 0.5 ? { kind: 'doubt' } : { kind: 'words', ...counted(reading.claim, sources) }))
    return {
      verdict: {
        ...plain,
        supported,
        score: bare || wrongFigure ? Math.min(chance, sourcelessMax) : chance,
        reasons,
      },
      toQuestion,
      judge: !judge || bare ? 'off' : verdict ? 'asked' : 'failed',
      remarks: false,
    }
  }

  const begin = (claims: readonly Claim[]): void => {
    for (const claim of claims) {
      const checking = check(claim)
      // Told in `finish`; until then nobody waits for it.
      checking.catch(() => undefined)
      checks.push(checking)
    }
  }
  /** While a sentence is being written the passages' side of its comparison is made ready: at the end only its own is left. */
  let preparedChars = 0
  const prepare = (): void => {
    const beginning = reader.beginning()
    if (beginning.length < preparedChars) preparedChars = 0
    if (!compare || beginning.length < preparedChars + prepareEveryChars) return
    preparedChars = beginning.length
    compare.prepare(likelyNearest(beginning, everyPassage()))
  }
  /** Nothing that goes wrong here may reach the answer. */
  const guarded = (work: () => void): void => {
    try {
      work()
    } catch (error) {
      fault ??= error
    }
  }

  const conclude = async (): Promise<Verification> => {
    guarded(() => begin(reader.end()))
    let sentences: SentenceVerdict[] = []
    try {
      const checked = await Promise.all(checks)
      if (fault !== null) throw fault
      sentences = checked.map(({ verdict }) => verdict)
      const claims = sentences.filter((sentence) => sentence.claims)
      const near = checked.flatMap(({ toQuestion }) => toQuestion ?? [])
      const fit = Math.max(
        wordFit(
          question,
          claims.map(({ text }) => text),
        ),
        ...near,
      )
      const { relevance } = evidence
      const named = touched(await contradictions, sentences)
      const abstains = checked.length > 0 && checked.every(({ remarks }) => remarks) && !reader.hasCode()
      return {
        sentences,
        claims: { total: claims.length, supported: claims.filter(({ supported }) => supported).length },
        contradictions: named,
        fit,
        abstains,
        ...(abstains
          ? abstention
          : confidenceOf({
              sentences,
              contradictions: named,
              fit,
              match: Math.max(relevance.near ?? 0, relevance.coverage),
            })),
        by: { encoder: near.length > 0, judge: judgeOf(checked) },
      }
    } catch (error) {
      // To review, not to silence: who reads null looks at the answer.
      log.error({ err: error }, 'an answer could not be checked')
      return {
        sentences,
        claims: { total: 0, supported: 0 },
        contradictions: [],
        fit: 0,
        abstains: false,
        confidence: null,
        reasons: [unchecked],
        by: { encoder: false, judge: 'off' },
      }
    }
  }

  return {
    push: (events) =>
      guarded(() => {
        for (const event of events) {
          if (event.type === 'citation') citations.set(event.citation.ordinal, event.citation)
          else begin(reader.push(event.text))
        }
        prepare()
      }),
    finish: () => {
      finished ??= conclude()
      return finished
    },
  }
}

const judgeOf = (checked: readonly Checked[]): Verification['by']['judge'] =>
  checked.some(({ judge }) => judge === 'failed')
    ? 'failed'
    : checked.some(({ judge }) => judge === 'asked')
      ? 'asked'
      : 'off'

const counted = (claim: string, sources: readonly ReadPassage[]): { found: number; of: number } => {
  const words = [...new Set(supportWords(claim))]
  return { found: words.filter((word) => sources.some((source) => source.words.has(word))).length, of: words.length }
}

/** An answer that is there already, from a cache or from a reviewer's hand, checked as if it had streamed. */
export const verifyAnswer = (
  call: VerifierCall,
  answer: { text: string; citations: readonly Citation[] },
): Promise<Verification> => {
  const verifier = createVerifier(call)
  const events: CiteEvent[] = answer.citations.map((citation) => ({ type: 'citation', citation }))
  verifier.push([...events, { type: 'text', text: answer.text }])
  return verifier.finish()
}
