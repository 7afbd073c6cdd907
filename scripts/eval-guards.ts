/**
 * How well the guards see: `node scripts/eval-guards.ts pii DIR` (sentences.jsonl: lines of `{ text, spans: [{ type, start, end }] }`)
 * and `node scripts/eval-guards.ts injection DIR [CORPUS.jsonl …]`. Misses and false alarms of the first half of each file were
 * looked at while patterns were written, those of the second half were not; figures are given for both. Short files of one
 * kind were read whole beforehand, so their second half is no proof. Exit status 1 only for wrong use.
 */
import { existsSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { scoreInjection } from '#lib/gateway/injection.ts'
import { findSensitive, type RedactionActs } from '#lib/gateway/redact.ts'
import { defaultGatewaySettings, type SensitiveKind, sensitiveKinds } from '#lib/shared/gateway-settings.ts'

const share = (part: number, whole: number): string => (whole === 0 ? '-' : (part / whole).toFixed(3))
const halves = ['first half', 'second half'] as const

const partOf = <T>(all: readonly T[], half: number): T[] => {
  const middle = Math.ceil(all.length / 2)
  return half === 0 ? all.slice(0, middle) : all.slice(middle)
}

const readLines = (path: string): unknown[] | undefined => {
  if (!existsSync(path)) {
    console.log(`${path}: not there`)
    return undefined
  }
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line.trim())
    .map((line): unknown => JSON.parse(line))
}

/** How the data's names for kinds map to ours; what is not here (dates, places, organisations) we do not look for. */
const kindOf = new Map<string, SensitiveKind>([
  ['CREDIT_CARD', 'card'],
  ['IBAN_CODE', 'iban'],
  ['EMAIL_ADDRESS', 'email'],
  ['PHONE_NUMBER', 'phone'],
  ['US_SSN', 'national-id'],
  ['US_DRIVER_LICENSE', 'national-id'],
  ['IP_ADDRESS', 'ip'],
  ['PERSON', 'person'],
  ['STREET_ADDRESS', 'address'],
  ['ZIP_CODE', 'address'],
])

type Sentence = { text: string; spans: { type: string; start: number; end: number }[] }

const overlaps = (a: { start: number; end: number }, b: { start: number; end: number }): boolean =>
  a.start < b.end && b.start < a.end

const evaluatePii = (dir: string, verbose: boolean): void => {
  const sentences = readLines(join(dir, 'sentences.jsonl')) as Sentence[] | undefined
  if (!sentences) return
  const acts = Object.fromEntries(sensitiveKinds.map((kind) => [kind, 'mask'])) as RedactionActs
  for (const [half, name] of halves.entries()) {
    const part = partOf(sentences, half)
    const counts = new Map(sensitiveKinds.map((kind) => [kind, { found: 0, right: 0, wanted: 0, seen: 0, whole: 0 }]))
    for (const { text, spans } of part) {
      const found = findSensitive(text, acts)
      const wanted = spans.flatMap(({ type, start, end }) => {
        const kind = kindOf.get(type)
        return kind ? [{ kind, start, end }] : []
      })
      for (const span of found) {
        const count = counts.get(span.kind)
        const right = wanted.some((other) => other.kind === span.kind && overlaps(span, other))
        if (count) count.found++
        if (count && right) count.right++
        if (verbose && !right)
          console.log(
            `  false ${span.kind}: ${JSON.stringify(text.slice(span.start, span.end))} in ${JSON.stringify(text.slice(Math.max(0, span.start - 40), span.end + 20))}`,
          )
      }
      for (const span of wanted) {
        const count = counts.get(span.kind)
        const hits = found.filter((other) => other.kind === span.kind && overlaps(span, other))
        if (count) count.wanted++
        if (count && hits.length > 0) count.seen++
        if (count && hits.some(({ start, end }) => start <= span.start && end >= span.end)) count.whole++
        if (verbose && hits.length === 0 && span.kind !== 'person' && span.kind !== 'address')
          console.log(
            `  missed ${span.kind}: ${JSON.stringify(text.slice(Math.max(0, span.start - 40), span.end + 20))}`,
          )
      }
    }
    console.log(`${name}: ${part.length} sentences`)
    for (const [kind, { found, right, wanted, seen, whole }] of counts) {
      if (found === 0 && wanted === 0) continue
      const precision = right / (found || 1)
      const recall = seen / (wanted || 1)
      const f1 = precision + recall === 0 ? 0 : (2 * precision * recall) / (precision + recall)
      console.log(
        `  ${kind.padEnd(12)} wanted ${wanted}, found ${found}: precision ${share(right, found)}, recall ${share(seen, wanted)} (wholly covered ${share(whole, wanted)}), F1 ${f1.toFixed(3)}`,
      )
    }
  }
  const startMs = performance.now()
  for (const { text } of sentences) findSensitive(text, defaultGatewaySettings.redaction.acts)
  console.log(`time: ${((performance.now() - startMs) / sentences.length).toFixed(3)} ms a sentence, default policy`)
}

const flagFrom = defaultGatewaySettings.injection.flagFrom

const textOf = (line: unknown): string => {
  if (typeof line !== 'object' || line === null) return ''
  const text = 'text' in line ? line.text : 'context' in line ? line.context : ''
  return typeof text === 'string' ? text : ''
}

const timeInjection = (passages: readonly string[]): void => {
  const texts = passages.filter((text) => text.length > 400).map((text) => text.repeat(5).slice(0, 2_000))
  if (texts.length === 0) return
  const times: number[] = []
  for (const round of [0, 1, 2])
    for (const text of texts) {
      const startMs = performance.now()
      scoreInjection(text)
      if (round > 0) times.push(performance.now() - startMs)
    }
  times.sort((a, b) => a - b)
  const at = (place: number): string => (times[Math.floor((times.length - 1) * place)] ?? 0).toFixed(3)
  // Wall time on a busy machine counts the others' work too; CPU time does not.
  const usage = process.cpuUsage()
  for (const text of texts) scoreInjection(text)
  const spent = process.cpuUsage(usage)
  console.log(
    `time: 2,000 characters p50 ${at(0.5)} ms, p95 ${at(0.95)} ms; CPU ${((spent.user + spent.system) / 1_000 / texts.length).toFixed(3)} ms`,
  )
}

const evaluateInjection = (dir: string, corpora: readonly string[], verbose: boolean): void => {
  const report = (path: string, name: string, attack: boolean): string[] => {
    const texts = readLines(path)?.map(textOf) ?? []
    for (const [half, label] of halves.entries()) {
      const part = partOf(texts, half)
      const flagged = part.filter((text) => scoreInjection(text).score >= flagFrom)
      console.log(
        `${name.padEnd(28)} ${label}: ${flagged.length} of ${part.length} flagged (${share(flagged.length, part.length)}) ${attack ? 'found' : 'false'}`,
      )
      if (verbose && half === 0)
        for (const text of attack ? part.filter((text) => !flagged.includes(text)) : flagged)
          console.log(
            `  ${scoreInjection(text).score.toFixed(2)} ${scoreInjection(text).signals.join('; ')} | ${text.slice(0, 200)}`,
          )
    }
    return texts
  }
  for (const name of ['jailbreaks', 'prompt-extraction', 'indirect-attacks'])
    report(join(dir, `${name}.jsonl`), name, true)
  const benign = ['benign-trigger-words', 'safe-or-unsafe', 'carrier-emails'].flatMap((name) =>
    report(join(dir, `${name}.jsonl`), name, false),
  )
  const passages = corpora.flatMap((path) => report(path, basename(join(path, '..')), false))
  timeInjection([...benign, ...passages])
}

const [what, dir, ...rest] = process.argv.slice(2)
const verbose = rest.includes('--verbose')
const corpora = rest.filter((path) => path !== '--verbose')
if (what === 'pii' && dir) evaluatePii(dir, verbose)
else if (what === 'injection' && dir) evaluateInjection(dir, corpora, verbose)
else {
  console.error('use: eval-guards.ts pii DIR [--verbose] | eval-guards.ts injection DIR [CORPUS.jsonl …] [--verbose]')
  process.exitCode = 1
}
