/**
 * Every file of a folder through its parser, in the cage and one after the other: `npm run bench:parse -- DIR [--json]`. With
 * `DIR/truth/NAME.md` (or `truth` beside DIR) also the share of the words of the truth that are found. The caller's event loop is
 * watched meanwhile; `--files` tells of each file. Ends with 1 when a parser crashed or the loop was held too long.
 */
import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { ParseRefused, parseFile } from '#ingestion/sandbox.ts'
import { printMachine, printRows, type Row } from './report.ts'

const stallMsMax = 200
const watchMs = 10

type Outcome = {
  type: string
  ms: number
  peakMb: number
  words: number
  refused: string | null
  crashed: boolean
  found: number | null
}

const wordsOf = (text: string): string[] =>
  text
    .normalize('NFKC')
    .toLowerCase()
    .match(/[\p{L}\p{M}\p{N}]+/gu) ?? []

const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', nbsp: ' ' }
/** The words of Markdown: without remarks, the targets of links and pictures, and marks. */
const truthWords = (markdown: string): string[] =>
  wordsOf(
    markdown
      .replace(/<!--[\s\S]*?-->/g, ' ')
      .replace(/!?\[([^\]]*)\]\([^)\s]*\)/g, '$1')
      .replace(/<\/?[a-z][^>\n]{0,200}>/gi, ' ')
      .replace(/&([a-z]+);/g, (whole, name: string) => entities[name] ?? whole)
      .replace(/\\([_*#|$])/g, '$1')
      .replace(/_/g, ' '),
  )

/** How many of the words of `truth`, each as often as it stands there, are in `text`. */
const shareFound = (truth: readonly string[], text: string): number | null => {
  if (truth.length === 0) return null
  const left = new Map<string, number>()
  for (const word of wordsOf(text.replace(/_/g, ' '))) left.set(word, (left.get(word) ?? 0) + 1)
  let found = 0
  for (const word of truth) {
    const count = left.get(word) ?? 0
    if (count > 0) found += 1
    left.set(word, count - 1)
  }
  return found / truth.length
}

type Stalls = { wallMs: number; ownMs: number }

/** The longest time that this thread's timers were late, and the longest that it worked itself without a pause. */
const watchLoop = (): (() => Stalls) => {
  const longest: Stalls = { wallMs: 0, ownMs: 0 }
  let at = performance.now()
  let worked = process.threadCpuUsage()
  const timer = setInterval(() => {
    const now = performance.now()
    const { user, system } = process.threadCpuUsage(worked)
    longest.wallMs = Math.max(longest.wallMs, now - at - watchMs)
    longest.ownMs = Math.max(longest.ownMs, (user + system) / 1_000)
    at = now
    worked = process.threadCpuUsage()
  }, watchMs)
  return () => {
    clearInterval(timer)
    return longest
  }
}

const readOne = async (folder: string, name: string, truthFolder: string | undefined): Promise<Outcome> => {
  const truthPath = truthFolder ? join(truthFolder, `${name}.md`) : ''
  const truth = existsSync(truthPath) ? truthWords(await readFile(truthPath, 'utf8')) : []
  let peakMb = 0
  const startedMs = performance.now()
  const outcome = await parseFile(
    { path: join(folder, name), name },
    { onUsage: (usage) => (peakMb = usage.peakMb) },
  ).then(
    ({ text }) => ({ words: wordsOf(text).length, refused: null, crashed: false, found: shareFound(truth, text) }),
    (error: unknown) => ({
      words: 0,
      refused: error instanceof ParseRefused ? error.code : String(error),
      crashed: !(error instanceof ParseRefused) || error.code === 'crashed',
      found: null,
    }),
  )
  return { type: extname(name).slice(1).toLowerCase() || 'none', ms: performance.now() - startedMs, peakMb, ...outcome }
}

const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((one, other) => one - other)
  return sorted[Math.floor(sorted.length / 2)] ?? 0
}

const rowOf = (type: string, outcomes: readonly Outcome[]): Row => {
  const parsed = outcomes.filter(({ refused }) => refused === null)
  const reasons = Map.groupBy(
    outcomes.filter(({ refused, crashed }) => refused !== null && !crashed),
    ({ refused }) => refused ?? '',
  )
  const found = outcomes.flatMap((outcome) => outcome.found ?? [])
  const seconds = parsed.reduce((sum, { ms }) => sum + ms, 0) / 1_000
  return {
    type,
    files: outcomes.length,
    parsed: parsed.length,
    crashed: outcomes.filter(({ crashed }) => crashed).length,
    'median ms': Math.round(median(outcomes.map(({ ms }) => ms))),
    'longest ms': Math.round(Math.max(...outcomes.map(({ ms }) => ms))),
    'peak MB': Math.max(...outcomes.map(({ peakMb }) => peakMb)),
    'words/s': seconds > 0 ? Math.round(parsed.reduce((sum, { words }) => sum + words, 0) / seconds) : 0,
    'truth found':
      found.length > 0
        ? `${(found.reduce((sum, one) => sum + one, 0) / found.length).toFixed(3)} of ${found.length}`
        : '-',
    refused: [...reasons].map(([reason, { length }]) => `${reason} ${length}`).join(', ') || '-',
  }
}

const [given = ''] = process.argv.slice(2).filter((argument) => !argument.startsWith('--'))
const folder = existsSync(join(given, 'files')) ? join(given, 'files') : given
if (!given || !existsSync(folder)) {
  console.error(`${given || 'The folder'} is not there. Usage: npm run bench:parse -- DIR [--json] [--files]`)
  process.exit(2)
}
const truthFolder = [join(given, 'truth'), join(folder, 'truth'), join(folder, '..', 'truth')].find(existsSync)
const names = (await readdir(folder, { withFileTypes: true })).filter((entry) => entry.isFile()).map(({ name }) => name)

const stop = watchLoop()
const outcomes: Outcome[] = []
for (const [index, name] of names.entries()) {
  const outcome = await readOne(folder, name, truthFolder)
  outcomes.push(outcome)
  const { ms, peakMb, words, refused, found } = outcome
  const ending = refused ?? `${words} words${found === null ? '' : `, ${found.toFixed(3)} of the truth`}`
  if (process.argv.includes('--files')) console.error(`${name}: ${Math.round(ms)} ms, ${peakMb} MB, ${ending}`)
  else process.stderr.write(`\r${index + 1} of ${names.length}`)
}
process.stderr.write('\n')
const stalls = stop()

printMachine(['unpdf', 'fast-xml-parser', 'linkedom', 'csv-parse'])
console.log(
  `The caller's event loop: longest stretch of its own work ${Math.round(stalls.ownMs)} ms (must stay under ${stallMsMax}), ` +
    `longest delay of a timer ${Math.round(stalls.wallMs)} ms (with what else ran on this machine)`,
)
const types = [...Map.groupBy(outcomes, ({ type }) => type)].sort(([one], [other]) => one.localeCompare(other))
printRows([...types.map(([type, ofType]) => rowOf(type, ofType)), rowOf('all', outcomes)])
if (outcomes.some(({ crashed }) => crashed) || stalls.ownMs > stallMsMax) process.exitCode = 1
