/** The faults of a provider, one row each: how it is brought about, what is asked meanwhile, and what must hold. */
import type { RecordedRequest, Script } from '#e2e/mock-provider.ts'
import { newId } from '#lib/shared/ids.ts'
import { type Check, check, type Fault, pause, seconds } from './chaos-fault.ts'
import type { Asked, Told, Vendor, World } from './chaos-world.ts'

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0

const leave = 'How many days of leave do I get in my first calendar year?'
const hotel = 'What is the hotel limit per night in Portugal?'
const bolts = 'How tight must the bolts be that hold the H-40 to the bench?'
const keys = 'How often are the firmware signing keys rotated?'
const belt = 'Which part number does the reinforced drive belt have?'
const receipt = 'What do I do if I have lost a receipt for more than 15 euros?'
const incident = 'How quickly must a security incident be reported?'
const questions = [leave, hotel, bolts, keys, belt, receipt, incident]
const manyQuestions = (count: number): string[] =>
  Array.from({ length: count }, (_, at) => questions[at % questions.length] ?? leave)

/** The last words of a whole answer of each provider: an answer without either was cut. */
const lastOfFirst = 'omega-one'
const lastOfSecond = 'omega-two'
const wholeOfSecond = `The other provider answers from the handbook [1]. That is all of it, ${lastOfSecond}.`
/** About a hundred tokens, so that it can be cut with more than twenty shown. */
const longOfFirst = `${Array.from({ length: 14 }, (_, at) => `Sentence ${at + 1} of the first answer says this [1].`).join(' ')} It ends with ${lastOfFirst}.`
const fewTokens = 5
const manyTokens = 60

const isWhole = ({ text }: Told): boolean => text.includes(lastOfFirst) || text.includes(lastOfSecond)
const answered = ({ status }: Told): boolean => status === 'complete'
const bySecond = ({ text }: Told): boolean => text.includes(lastOfSecond)

const words = ({ status, error, totalMs, restarts, httpStatus }: Told): string =>
  [
    status === 'refused' ? `refused with ${httpStatus}` : status,
    error ? `(${error.code})` : '',
    restarts > 0 ? `begun anew ${restarts}x` : '',
    `in ${seconds(totalMs)}`,
  ]
    .filter(Boolean)
    .join(' ')

/** The same sentence must not stand in an answer twice: the seam of a continued answer would show. */
const repeated = ({ text }: Told): string | null => {
  const seen = new Set<string>()
  for (const [sentence] of text.matchAll(/Sentence \d+ of the first answer/g)) {
    if (seen.has(sentence)) return sentence
    seen.add(sentence)
  }
  return null
}

/** What a reader must get while another provider is well: a whole answer, of the one or the other or of both in turn. */
const wholeCheck = (name: string, told: Told): Check =>
  check(
    `${name}: one whole answer`,
    answered(told) && isWhole(told) && told.finishes === 1,
    `${name}: ${words(told)}${answered(told) && !isWhole(told) ? ', stored as complete without its end' : ''}${bySecond(told) ? ', ended by the other' : ''}`,
  )

const cutChecks = (name: string, told: Told): Check[] => {
  const twice = repeated(told)
  return [
    wholeCheck(name, told),
    check(`${name}: says nothing twice`, twice === null, twice === null ? '' : `twice: ${twice}`),
  ]
}

const secondAnswers = (world: World): void => world.second.script({ text: wholeOfSecond })

type Case = { name: string; question: string; script: Script }

/** Cases side by side in one world, told apart by their question: their waits overlap. */
const sideBySide = async (
  world: World,
  cases: readonly Case[],
  asked: Asked = {},
): Promise<{ name: string; told: Told }[]> => {
  secondAnswers(world)
  world.first.script(cases.map(({ question, script }) => ({ ...script, when: question, times: 1_000 })))
  return Promise.all(cases.map(async ({ name, question }) => ({ name, told: await world.ask(question, asked) })))
}

const retryWaits = (requests: readonly RecordedRequest[]): number =>
  (requests[1]?.atMs ?? Number.POSITIVE_INFINITY) - (requests[0]?.atMs ?? 0)

const bodyChars = (request: RecordedRequest | undefined): number => JSON.stringify(request?.body ?? '').length

const goneBy = (vendor: Vendor): string => `${vendor.requests().filter(({ aborted }) => aborted).length} hung up on`

/** How often the worker looks, with some to spare. */
const sweepMs = 65_000
/** Of the last question of a canary. */
const lastCanaryWords = 'When does the canteen close?'
const fencedJson = (json: string): string => `Here you are:\n\`\`\`json\n${json}\n\`\`\`\nIs there anything else?`
/** A model that does what the canary asks of it, bare or with words around its JSON, and answers everybody else. */
const canaryScripts = (json: (text: string) => string, fingerprint: string): Script[] => [
  ...[
    { when: 'third floor ordered', text: json('{"item": "blue chairs", "count": 12}') },
    { when: 'nearest to the sun', text: json('{"planet": "Mercury"}') },
    { when: 'opposite of north', text: 'south' },
    { when: 'exactly three lines', text: 'red\ngreen\nblue' },
    { when: 'Fahrradraum', text: 'Es passen 48 Fahrräder in den Raum [1].' },
    { when: lastCanaryWords, text: 'The canteen closes at 14:30 [1].' },
    { for: 'json' as const, text: json('{"question": "What is the hotel limit per night in Spain?"}') },
  ].map((script) => ({ ...script, fingerprint, times: 1_000 })),
  { text: longOfFirst, fingerprint },
]
const asBefore = canaryScripts((text) => text, 'fp_before')
const asChanged = canaryScripts(fencedJson, 'fp_changed')

/** Waits until a model's canary has run so many times; how long that took in milliseconds, infinite when it did not happen. */
const canaryRun = async (vendor: Vendor, times: number): Promise<number> => {
  const startMs = performance.now()
  const runs = (): number =>
    vendor.requests().filter(({ body, finished }) => finished && JSON.stringify(body).includes(lastCanaryWords)).length
  while (runs() < times) {
    if (performance.now() - startMs > 2 * sweepMs) return Number.POSITIVE_INFINITY
    await pause(500)
  }
  // Its last answer is out; what came of it is stored a moment later.
  await pause(1_000)
  return performance.now() - startMs
}

export const faults: readonly Fault[] = [
  {
    id: 'F01',
    name: '429 with Retry-After: 2 s, as a date, in ms, absurd',
    expected: 'waited for when it is within 10 s, else the next provider at once; no breaker failure',
    run: async ({ open }) => {
      const { world } = await open()
      secondAnswers(world)
      const refusal = (headers: Record<string, string>, times?: number): Script => ({
        status: 429,
        headers,
        ...(times ? { times } : {}),
      })
      const waits = [
        { name: '2 s', headers: { 'retry-after': '2' }, fromMs: 1_900, toMs: 4_500 },
        { name: '700 ms', headers: { 'retry-after-ms': '700' }, fromMs: 650, toMs: 2_500 },
        { name: 'a date', headers: { 'retry-after': '' }, fromMs: 900, toMs: 5_500 },
      ]
      const checks: Check[] = []
      for (const { name, headers, fromMs, toMs } of waits) {
        // An HTTP date has whole seconds: three ahead are between two and three.
        const sent =
          headers['retry-after'] === '' ? { 'retry-after': new Date(Date.now() + 3_000).toUTCString() } : headers
        world.first.script([refusal(sent as Record<string, string>), { text: longOfFirst }])
        const mark = world.mark(world.first)
        const told = await world.ask(hotel)
        const waitedMs = retryWaits(world.since(world.first, mark))
        checks.push(
          check(
            `${name}: asked again after it, and answered`,
            answered(told) && isWhole(told) && waitedMs >= fromMs && waitedMs <= toMs,
            `${words(told)}, asked again after ${Number.isFinite(waitedMs) ? seconds(waitedMs) : 'never'}`,
          ),
        )
      }
      world.first.script({ text: longOfFirst })
      const mark = world.mark(world.first)
      await world.ask(leave)
      checks.push(
        check(
          'no breaker failure',
          world.since(world.first, mark).length === 1,
          `${world.since(world.first, mark).length} call of the next question went to it`,
        ),
      )
      world.first.script(refusal({ 'retry-after': '3600' }))
      const late = world.mark(world.first)
      const told = await world.ask(keys)
      const tries = world.since(world.first, late).length
      checks.push(
        check(
          'an hour: the next provider at once',
          answered(told) && bySecond(told) && told.totalMs < 3_000 && tries === 1,
          `${words(told)}, asked ${tries}x, ${bySecond(told) ? 'answered by the other' : 'not answered by the other'}`,
        ),
      )
      return checks
    },
  },
  {
    id: 'F02',
    name: '429 without a header, 20 in a row',
    expected: 'at most 2 retries a call and a tenth of the calls, then the next provider',
    run: async ({ open }) => {
      const { world } = await open()
      secondAnswers(world)
      world.first.script({ status: 429 })
      const told: Told[] = []
      const tries: number[] = []
      // One by one, so that the tries of each are known. The first twenty use up what a budget of retries begins with.
      for (const question of manyQuestions(50)) {
        const from = world.mark(world.first)
        told.push(await world.ask(question))
        tries.push(world.mark(world.first) - from)
      }
      const retries = (counts: readonly number[]): number =>
        counts.reduce((sum, count) => sum + Math.max(0, count - 1), 0)
      const wins = told.filter((one) => answered(one) && bySecond(one)).length
      const most = Math.max(...tries)
      const [early, late] = [retries(tries.slice(0, 20)), retries(tries.slice(20))]
      return [
        check('every question is answered by the next', wins === told.length, `${wins} of ${told.length} answered`),
        check('at most 2 retries a call', most <= 3, `at most ${most} tries of the refusing one`),
        // A tenth of thirty, and one that was saved up.
        check('then a tenth of the calls', late <= 4, `${early} retries in the first 20 questions, ${late} in 30 more`),
      ]
    },
  },
  {
    id: 'F03',
    name: '500/502/503/529 on 30 % and on all',
    expected: '30 %: ≥ 99.9 % answered; all: breaker open within 20 calls or 5 s, then < 50 ms to the next; one probe',
    run: async ({ open, full }) => {
      const { world } = await open()
      const count = full ? 1_000 : 120
      world.first.script({ text: longOfFirst, failShare: 0.3, seed: 3 })
      world.second.script({ text: wholeOfSecond, failShare: 0.3, seed: 4 })
      const told = await world.askAll(manyQuestions(count), 4)
      const good = told.filter((one) => answered(one) && isWhole(one)).length
      const bad = told.find((one) => !answered(one) || !isWhole(one))
      const checks = [
        check(
          '30 % errors: answered',
          good / count >= 0.999,
          `${good} of ${count} answered with 30 % errors${bad ? `; one that was not: ${words(bad)} “${bad.text.slice(0, 60)}”` : ''}`,
        ),
      ]

      const { world: down } = await open()
      secondAnswers(down)
      const healthy: number[] = []
      for (let i = 0; i < 7; i += 1) healthy.push(await down.arrival(hotel, down.first))
      down.first.script({ failShare: 1, seed: 5 })
      const mark = down.mark(down.first)
      const startMs = performance.now()
      let openedMs = 0
      // Until a question passes the broken one by.
      for (let asked = 0; asked < 40 && !openedMs; asked += 1) {
        const before = down.mark(down.first)
        await down.ask(hotel)
        if (down.mark(down.first) === before) openedMs = performance.now() - startMs
      }
      const calls = down.since(down.first, mark).length
      checks.push(
        check(
          'all fail: the breaker opens',
          openedMs > 0 && (calls <= 20 || openedMs <= 5_000),
          openedMs > 0 ? `open after ${calls} calls, ${seconds(openedMs)}` : `not open after ${calls} calls`,
        ),
      )
      if (!openedMs) return checks
      const passing: number[] = []
      for (let i = 0; i < 7; i += 1) passing.push(await down.arrival(hotel, down.second))
      const addedMs = median(passing) - median(healthy)
      checks.push(check('open: at the next in < 50 ms', addedMs < 50, `${addedMs.toFixed(0)} ms more than before`))

      // A slow failure, so that all questions of a burst are there while the probe is.
      down.first.script({ firstDelayMs: 400, status: 500 })
      const probesFrom = down.mark(down.first)
      let probes = 0
      for (let round = 0; round < 25 && probes === 0; round += 1) {
        await pause(1_500)
        await down.askAll(manyQuestions(3), 3)
        probes = down.mark(down.first) - probesFrom
      }
      checks.push(check('half-open: one probe', probes === 1, `${probes} of 3 questions at once probed it`))
      return checks
    },
  },
  {
    id: 'F04',
    name: '400, 401, 403, 404: the key or the model is gone',
    expected: 'no retry; the next provider answers; 401 is shown to admins as misconfigured',
    run: async ({ open }) => {
      const { world } = await open()
      secondAnswers(world)
      const checks: Check[] = []
      for (const status of [400, 401, 403, 404, 410]) {
        world.first.script({ status })
        const mark = world.mark(world.first)
        const told = await world.ask(hotel)
        const tries = world.since(world.first, mark).length
        checks.push(
          check(
            `${status}: no retry, answered by the next`,
            answered(told) && bySecond(told) && tries === 1,
            `${status}: ${words(told)}, asked ${tries}x`,
          ),
        )
      }
      return checks
    },
    after: ([remains]) => {
      const known = [
        ...(remains?.ledger ?? []).map(({ outcome }) => outcome),
        ...(remains?.breakers ?? []).map(({ reason }) => reason ?? ''),
      ].filter((outcome) => outcome === 'misconfigured')
      return [
        check('401 is known as misconfigured', known.length > 0, `${known.length} lines for admins say misconfigured`),
      ]
    },
  },
  {
    id: 'F05',
    name: 'context too long (400)',
    expected: 'sent once more with less, the question whole; then the next; at the end a clear error',
    run: async ({ open }) => {
      const { world } = await open()
      const tooLong: Script = {
        status: 400,
        body: JSON.stringify({
          error: {
            message:
              "This model's maximum context length is 8192 tokens. However, your messages resulted in 9001 tokens.",
            type: 'invalid_request_error',
            code: 'context_length_exceeded',
          },
        }),
      }
      secondAnswers(world)
      world.first.script([tooLong, { text: longOfFirst }])
      const marks = [world.mark(world.first), world.mark(world.second)] as const
      const once = await world.ask(hotel)
      const [refusedCall, againCall] = world.since(world.first, marks[0])
      const shorter = againCall !== undefined && bodyChars(againCall) < bodyChars(refusedCall)
      const asks = JSON.stringify(againCall?.body ?? '').includes(hotel)
      world.first.script(tooLong)
      const mark = world.mark(world.first)
      const next = await world.ask(keys)
      const tries = world.mark(world.first) - mark
      world.second.script(tooLong)
      const from = world.mark(world.first) + world.mark(world.second)
      const never = await world.ask(bolts)
      const calls = world.mark(world.first) + world.mark(world.second) - from
      return [
        check(
          'once: asked again with less, and answered by the same',
          answered(once) && isWhole(once) && !bySecond(once) && shorter && asks,
          `${words(once)}, ${againCall ? `asked again with ${bodyChars(againCall)} for ${bodyChars(refusedCall)} characters${asks ? '' : ', without the question'}` : bySecond(once) ? 'answered by the other' : 'not asked again'}`,
        ),
        check(
          'twice: answered by the next',
          answered(next) && bySecond(next) && tries === 2,
          `${words(next)}, the first asked ${tries}x`,
        ),
        check(
          'always: an end in words after few calls',
          calls <= 4 && (never.error !== null || Boolean(never.metadata.degraded)),
          `${words(never)} after ${calls} calls`,
        ),
      ]
    },
  },
  {
    id: 'F06',
    name: 'the model refuses (finish_reason content_filter)',
    expected: 'shown as a refusal and stored; no other, looser model is asked',
    run: async ({ open }) => {
      const { world } = await open()
      secondAnswers(world)
      world.first.script({ text: 'I cannot help with that.', finish: 'content_filter' })
      const mark = world.mark(world.second)
      const told = await world.ask(hotel)
      world.first.script({ text: '', finish: 'content_filter' })
      const silent = await world.ask(bolts)
      const asked = world.since(world.second, mark).length
      return [
        check('no other model is asked', asked === 0, `the other was asked ${asked}x`),
        check(
          'it ends, and its words are shown',
          told.finishes === 1 && (told.text.includes('cannot help') || told.error !== null),
          `${words(told)}: “${told.text.slice(0, 40)}”`,
        ),
        check(
          'a refusal without words ends as well',
          silent.finishes === 1 && (silent.text.trim() !== '' || silent.error !== null),
          `without words: ${words(silent)}`,
        ),
      ]
    },
    after: ([remains]) => {
      const refused = (remains?.ledger ?? []).filter(({ outcome }) => outcome === 'refused').length
      return [check('the ledger says refused', refused === 2, `${refused} of 2 refusals in the ledger`)]
    },
  },
  {
    id: 'F07',
    name: 'no such name, TLS error, connection refused',
    expected: 'at most 1 s to the next provider',
    run: async ({ open }) => {
      const { world } = await open({
        before: (port) => ['http://no-such-name.invalid/v1', `https://127.0.0.1:${port}/v1`],
      })
      secondAnswers(world)
      await world.first.off()
      const checks: Check[] = []
      // The first question meets all three, with breakers that know nothing yet but the warm-up.
      const told = await world.ask(hotel)
      checks.push(
        check(
          'answered by the last, within 1 s for each that failed',
          answered(told) && bySecond(told) && (told.firstTextMs ?? Number.POSITIVE_INFINITY) <= 3_500,
          `${words(told)}, first words after ${told.firstTextMs === null ? 'never' : seconds(told.firstTextMs)}`,
        ),
      )
      await world.first.on()
      return checks
    },
  },
  {
    id: 'F08',
    name: 'accepts the call and never answers',
    expected: 'given up after 10 s, and answered by the next',
    run: async ({ open }) => {
      const { world } = await open()
      secondAnswers(world)
      world.first.script({ firstDelayMs: 600_000 })
      const told = await world.ask(hotel)
      return [
        check(
          'the next answers after 10 s',
          answered(told) && bySecond(told) && told.totalMs > 8_000 && told.totalMs < 14_000,
          `${words(told)}, ${bySecond(told) ? 'by the other' : 'not by the other'}`,
        ),
        check(
          'the silent call is ended',
          world.first.requests().some(({ aborted }) => aborted),
          goneBy(world.first),
        ),
      ]
    },
  },
  {
    id: 'F09',
    name: 'the stream stalls after 5 and after 60 tokens',
    expected: 'after 15 s the next begins anew or goes on; nothing twice, one end',
    run: async ({ open }) => {
      const { world } = await open()
      const ended = await sideBySide(world, [
        {
          name: 'after 5',
          question: hotel,
          script: { text: longOfFirst, fault: 'stall', faultAfterTokens: fewTokens },
        },
        {
          name: 'after 60',
          question: bolts,
          script: { text: longOfFirst, fault: 'stall', faultAfterTokens: manyTokens },
        },
      ])
      return ended.flatMap(({ name, told }) => [
        ...cutChecks(name, told),
        check(`${name}: after 15 s`, told.totalMs > 9_000 && told.totalMs < 22_000, seconds(told.totalMs)),
      ])
    },
  },
  {
    id: 'F10',
    name: 'keep-alive comments and no content',
    expected: 'silence is counted in content: 10 s for the first words, 15 s between words',
    run: async ({ open }) => {
      const { world } = await open()
      const ended = await sideBySide(world, [
        {
          name: 'from the start',
          question: hotel,
          script: { text: longOfFirst, fault: 'comments', faultAfterTokens: 0 },
        },
        {
          name: 'after 60',
          question: bolts,
          script: { text: longOfFirst, fault: 'comments', faultAfterTokens: manyTokens },
        },
      ])
      return ended.flatMap(({ name, told }) => [
        ...cutChecks(name, told),
        check(`${name}: in time`, told.totalMs > 8_000 && told.totalMs < 22_000, seconds(told.totalMs)),
      ])
    },
  },
  {
    id: 'F11',
    name: 'connection reset, or closed without an end',
    expected: 'as F09; what was cut is never stored as complete',
    run: async ({ open }) => {
      const { world } = await open()
      const cut = (fault: 'reset' | 'end' | 'error', faultAfterTokens: number): Script => ({
        text: longOfFirst,
        fault,
        faultAfterTokens,
        tokenDelayMs: 5,
      })
      const ended = await sideBySide(world, [
        { name: 'reset after 5', question: hotel, script: cut('reset', fewTokens) },
        { name: 'reset after 60', question: bolts, script: cut('reset', manyTokens) },
        { name: 'closed after 5', question: keys, script: cut('end', fewTokens) },
        { name: 'closed after 60', question: belt, script: cut('end', manyTokens) },
        { name: 'error event after 60', question: receipt, script: cut('error', manyTokens) },
      ])
      return ended.flatMap(({ name, told }) => cutChecks(name, told))
    },
  },
  {
    id: 'F12',
    name: 'broken JSON, split UTF-8, 1-byte writes, CRLF, 5 MB event, each event twice',
    expected:
      'splits and line ends are read; a broken or huge event is an error of the provider, hung up on while it comes',
    run: async ({ open }) => {
      const { world } = await open()
      const text = `Grüße aus Graz, 😀 und mehr [1]. Das ist alles, ${lastOfFirst}.`
      const ended = await sideBySide(world, [
        { name: '1-byte writes', question: hotel, script: { text, writeBytes: 1 } },
        { name: 'CRLF', question: bolts, script: { text, lineEnd: '\r\n' } },
        {
          name: 'broken event',
          question: keys,
          script: { text: longOfFirst, fault: 'bad-event', faultAfterTokens: manyTokens },
        },
        {
          name: '5 MB event',
          question: belt,
          // What is sent after it takes a while: the event alone fits into the buffers of a connection.
          script: { text: longOfFirst, fault: 'huge', faultAfterTokens: manyTokens, tokenDelayMs: 30 },
        },
        { name: 'each event twice', question: receipt, script: { text: longOfFirst, duplicates: true } },
        {
          name: 'a split character, then nothing',
          question: incident,
          script: { chunks: ['data: {"choices":[{"delta":{"content":"Gr', { hex: 'c3' }] },
        },
      ])
      const huge = world.first.requests().filter(({ body }) => JSON.stringify(body).includes(belt))
      const hungUp = huge.length > 0 && huge.every(({ aborted, finished }) => aborted && !finished)
      const cut = check('the 5 MB event is not read to its end', hungUp, hungUp ? 'hung up on' : 'read to its end')
      const cases = ended.flatMap(({ name, told }) => {
        if (name === '1-byte writes' || name === 'CRLF')
          return [
            check(
              `${name}: read as it was meant`,
              answered(told) && told.text.includes('Grüße aus Graz, 😀') && told.text.includes(lastOfFirst),
              `${name}: ${words(told)}`,
            ),
          ]
        const small = told.text.length < 1_000_000
        return [
          wholeCheck(name, told),
          check(`${name}: nothing huge shown`, small, small ? '' : `${told.text.length} characters shown`),
        ]
      })
      return [...cases, cut]
    },
  },
  {
    id: 'F13',
    name: 'a page with status 200, a page as JSON, a body that is not gzip',
    expected: 'taken as a failure; nothing of it shown; the next answers',
    run: async ({ open }) => {
      const { world } = await open()
      const page = '<!doctype html><html><body>Please sign in to the portal</body></html>'
      const ended = await sideBySide(world, [
        { name: 'page', question: hotel, script: { contentType: 'text/html', body: page } },
        { name: 'JSON that is a page', question: bolts, script: { body: page } },
        { name: 'not gzip', question: keys, script: { text: longOfFirst, headers: { 'content-encoding': 'gzip' } } },
      ])
      return ended.map(({ name, told }) =>
        check(
          `${name}: answered by the next, nothing of it shown`,
          answered(told) && bySecond(told) && !/<html|sign in to the portal/i.test(told.text),
          `${name}: ${words(told)}${bySecond(told) ? '' : ', not by the other'}`,
        ),
      )
    },
  },
  {
    id: 'F14',
    name: 'structured output that does not fit, once and always',
    expected: 'repaired at most twice, fenced JSON is read, then the plain way; the question is answered',
    run: async ({ open }) => {
      const { world } = await open()
      const vendors = [world.first, world.second]
      const jsonCalls = (from: readonly number[]): number =>
        vendors.reduce(
          (sum, vendor, at) =>
            sum +
            world.since(vendor, from[at] ?? 0).filter(({ body }) => JSON.stringify(body).includes('one JSON object'))
              .length,
          0,
        )
      // Each a question of its own: the result of a task is kept, and the same again would ask no model.
      const cases = [
        {
          name: 'wrong once',
          question: leave,
          followUp: 'And in the second year?',
          atMost: 2,
          wrong: ['Sure! Here it is.'],
        },
        {
          name: 'fenced',
          question: hotel,
          followUp: 'And in Spain?',
          atMost: 1,
          wrong: ['Here you are:\n```json\n{"question": "What is the hotel limit per night in Spain?"}\n```'],
        },
        {
          name: 'always wrong',
          question: bolts,
          followUp: 'And how often is that checked?',
          atMost: 3,
          wrong: Array.from({ length: 20 }, () => '{"question": 7}'),
        },
      ]
      const checks: Check[] = []
      for (const { name, question, followUp, wrong, atMost } of cases) {
        for (const vendor of vendors)
          vendor.script([
            ...wrong.map((text): Script => ({ text, for: 'json' })),
            { text: longOfFirst, for: 'text', times: 1_000 },
            {},
          ])
        const chatId = newId()
        await world.ask(question, { chatId, role: 'member' })
        const from = vendors.map(world.mark)
        const told = await world.ask(followUp, { chatId, role: 'member' })
        const calls = jsonCalls(from)
        checks.push(
          check(
            `${name}: at most ${atMost} calls, and an end`,
            calls >= 1 && calls <= atMost && ['complete', 'no-source'].includes(told.status),
            `${name}: ${calls} calls, ${words(told)}`,
          ),
        )
      }
      return checks
    },
  },
  {
    id: 'F15',
    name: 'usage missing, negative, absurd',
    expected: 'our own estimate is used and flagged; costs stay sane',
    run: async ({ open }) => {
      const { world } = await open()
      secondAnswers(world)
      // Only admins are told what an answer used.
      const ended = await sideBySide(
        world,
        [
          { name: 'missing', question: hotel, script: { text: longOfFirst, usage: false } },
          {
            name: 'negative',
            question: bolts,
            script: { text: longOfFirst, usage: { prompt_tokens: -5, completion_tokens: -900, total_tokens: -905 } },
          },
          {
            name: 'absurd',
            question: keys,
            script: { text: longOfFirst, usage: { prompt_tokens: 9_000_000_000, completion_tokens: 9_000_000_000 } },
          },
        ],
        { role: 'admin' },
      )
      return ended.map(({ name, told }) => {
        const { in: tokensIn = -1, out = -1 } = told.metadata.tokens ?? {}
        return check(
          `${name}: answered, with a believable count`,
          answered(told) && tokensIn > 0 && tokensIn < 50_000 && out > 20 && out < 5_000,
          `${name}: ${told.status}, ${tokensIn} in, ${out} out`,
        )
      })
    },
    after: ([remains]) => {
      const estimated = (remains?.ledger ?? []).filter(({ usageEstimated }) => usageEstimated).length
      return [check('three lines are flagged', estimated === 3, `${estimated} of 3 flagged as estimated`)]
    },
  },
  {
    id: 'F16',
    name: 'an answer without end',
    expected: 'cut by tokens, bytes or 120 s; the call is ended; one end',
    run: async ({ open }) => {
      const { world } = await open()
      world.first.script({ text: longOfFirst, endless: true })
      world.second.script({ text: longOfFirst, endless: true })
      const told = await world.ask(hotel)
      const stopped = [...world.first.requests(), ...world.second.requests()].some(({ aborted }) => aborted)
      const kilobytes = Buffer.byteLength(told.text) / 1_000
      return [
        check(
          'it ends in time and within bounds',
          told.finishes === 1 && told.totalMs < 125_000 && kilobytes < 1_000,
          `${words(told)}, ${kilobytes.toFixed(0)} kB`,
        ),
        check('the call is ended', stopped, stopped ? 'hung up on' : 'still talking'),
      ]
    },
  },
  {
    id: 'F17',
    name: 'all providers are down',
    expected: 'an answer from search alone, with citations and a banner, within 2 s; nothing queues up',
    run: async ({ open }) => {
      const { world } = await open()
      await Promise.all([world.first.off(), world.second.off()])
      const one = await world.ask(hotel)
      const many = await world.askAll(manyQuestions(6), 3)
      const last = await world.ask(bolts)
      await Promise.all([world.first.on(), world.second.on()])
      const slowestMs = Math.max(one.totalMs, ...many.map(({ totalMs }) => totalMs), last.totalMs)
      const all = [one, ...many, last]
      const shown = all.filter((told) => answered(told) && told.citations.length > 0 && told.metadata.degraded).length
      return [
        check(
          'sentences with citations and a banner',
          shown === all.length,
          shown === all.length
            ? `${shown} of ${all.length} answered from search`
            : `${shown} of ${all.length}; first: ${words(one)}`,
        ),
        check('within 2 s each', slowestMs <= 2_000, `slowest ${seconds(slowestMs)}`),
      ]
    },
  },
  {
    id: 'F18',
    name: 'a provider that flaps, 5 s up and 5 s down',
    expected: 'no storm: calls sent at most twice the questions accepted; all answered',
    run: async ({ open, full }) => {
      const { world } = await open()
      secondAnswers(world)
      world.first.script({ text: longOfFirst })
      const from = world.mark(world.first) + world.mark(world.second)
      const endMs = performance.now() + (full ? 300_000 : 40_000)
      let up = true
      const flap = (): void => {
        up = !up
        world.first.script(up ? { text: longOfFirst } : { status: 503 })
      }
      const timer = setInterval(flap, 5_000)
      const told: Told[] = []
      const person = async (): Promise<void> => {
        while (performance.now() < endMs) {
          told.push(await world.ask(questions[told.length % questions.length] ?? leave))
          await pause(1_000)
        }
      }
      await Promise.all([person(), person()])
      clearInterval(timer)
      const sent = world.mark(world.first) + world.mark(world.second) - from
      const good = told.filter((one) => answered(one) && isWhole(one)).length
      const bad = told.find((one) => !answered(one) || !isWhole(one))
      return [
        check(
          'all answered',
          good === told.length,
          `${good} of ${told.length} answered${bad ? `; one that was not: ${words(bad)} “${bad.text.slice(0, 60)}”` : ''}`,
        ),
        check('no storm', sent <= 2 * told.length, `${sent} calls for ${told.length} questions`),
      ]
    },
  },
  {
    id: 'F19',
    name: 'the encoder is gone while people ask',
    expected: 'search by words alone with a notice; no answer without passages',
    run: async ({ open }) => {
      const { world } = await open({ env: { MODELS_DIR: '/nonexistent/models' } })
      world.first.script({ text: longOfFirst })
      const mark = world.mark(world.first)
      const told = await world.ask('hotel limit per night Portugal')
      const [request] = world.since(world.first, mark)
      const passages = (JSON.stringify(request?.body ?? '').match(/ source \d+\]/g) ?? []).length
      return [
        check(
          'answered with a notice',
          answered(told) && Boolean(told.metadata.degraded),
          `${words(told)}, ${told.metadata.degraded ? 'with a notice' : 'without a notice'}`,
        ),
        check('the model got passages', passages > 0, `${passages} passages sent`),
      ]
    },
  },
  {
    id: 'F21',
    name: 'the model changes its format without a word',
    expected:
      'fenced JSON is read all the same; the canary finds the change, an alert is raised, the model is asked last',
    run: async ({ open }) => {
      const { world } = await open({
        settings: { canary: { everyHours: 24, alsoLocal: true, act: 'fall-back' } },
      })
      const { first } = world
      secondAnswers(world)
      first.script(asBefore)
      const baselineMs = await canaryRun(first, 1)
      const from = world.mark(first)
      first.script(asChanged)
      const chatId = newId()
      const answer = await world.ask(hotel, { chatId, role: 'member' })
      const followUp = await world.ask('And in Spain?', { chatId, role: 'member' })
      const jsonCalls = world.since(first, from).filter(({ body }) => JSON.stringify(body).includes('And in Spain?'))
      const rewrites = jsonCalls.filter(({ body }) => JSON.stringify(body).includes('one JSON object')).length
      const foundMs = await canaryRun(first, 2)
      // The sweep after the one that ran the canary looks at what it found.
      await pause(sweepMs)
      const after = await world.ask(bolts)
      const found = Number.isFinite(foundMs)
      return [
        check(
          'fenced JSON is read without a repair',
          answered(answer) && ['complete', 'no-source'].includes(followUp.status) && rewrites === 1,
          `${rewrites} rewriting call, follow-up ${words(followUp)}`,
        ),
        check(
          'the canary runs again at the change',
          Number.isFinite(baselineMs) && found,
          found ? `found ${seconds(foundMs)} after the first changed answer` : 'no second run of the canary',
        ),
        check('the model is asked last', bySecond(after), bySecond(after) ? 'the other answers' : words(after)),
      ]
    },
    after: ([remains]) => {
      const alerts = (remains?.log ?? '').split('\n').filter((line) => line.includes('an alert started'))
      const told = alerts.find((line) => line.includes('"canary"') && line.includes('a code fence or words stand'))
      const canaries = (remains?.ledger ?? []).filter(
        ({ task, flags }) => task === 'canary' && flags.includes('canary'),
      )
      return [
        check(
          'an alert says what changed',
          told !== undefined,
          told ? 'alert raised' : `${alerts.length} other alerts`,
        ),
        check('its calls are in the ledger', canaries.length >= 12, `${canaries.length} lines of canaries`),
      ]
    },
  },
  {
    id: 'F59',
    name: 'the budget runs out, 50 questions at once, a price that nobody knows',
    expected:
      'spending passes the cap by at most one reserve; then refusals with the time of renewal; unknown is never free',
    run: async ({ open }) => {
      const { world } = await open({ hosted: true, settings: { ...budget(capMicros), unknownPrice: 'worst-case' } })
      world.first.script({ text: longOfFirst, tokenDelayMs: 5 })
      const told = await world.askAll(manyQuestions(50), 50)
      const good = told.filter(answered).length
      const refused = told.filter(({ error }) => error?.code === 'over-budget')
      const sample = refused[0]?.error
      const timed = refused.filter(
        ({ error }) => (error?.retryAfterSeconds ?? 0) > 0 || /\d/.test(error?.message ?? ''),
      )
      const { world: strict } = await open({ hosted: true, settings: { ...budget(null), unknownPrice: 'refuse' } })
      const unknown = await strict.ask(hotel)
      const calls = strict.mark(strict.first)
      return [
        check(
          'some are answered, the rest refused',
          good > 0 && refused.length > 0 && good + refused.length === told.length,
          `${good} answered, ${refused.length} refused, ${told.length - good - refused.length} else`,
        ),
        check(
          'refusals say when',
          refused.length > 0 && timed.length === refused.length,
          sample ? `“${sample.message.slice(0, 80)}”, after ${sample.retryAfterSeconds ?? '?'} s` : 'no refusal',
        ),
        check(
          'an unknown price is refused where the rule says so',
          calls === 0 &&
            (unknown.error?.code === 'price-unknown' ||
              Boolean(unknown.metadata.degraded) ||
              unknown.metadata.model?.kind === 'built-in'),
          `unknown price: ${words(unknown)}, ${calls} calls`,
        ),
      ]
    },
    after: ([remains]) => {
      const lines = remains?.ledger ?? []
      const spent = lines.reduce((sum, { costMicros }) => sum + (costMicros ?? 0), 0)
      const free = lines.filter(({ costMicros, tokensOut }) => (tokensOut ?? 0) > 0 && !costMicros).length
      return [
        check(
          'spent within the cap and one reserve',
          lines.length > 0 && spent <= capMicros + reserveMicros,
          `spent $${(spent / 1e6).toFixed(2)} of $${(capMicros / 1e6).toFixed(2)} in ${lines.length} lines`,
        ),
        check('no call is free', lines.length > 0 && free === 0, `${free} lines without a cost`),
      ]
    },
  },
]

/** At the dearest price an answer of the demo costs about half a dollar, and about two are reserved for it. */
const capMicros = 6_000_000
const reserveMicros = 2_500_000
const budget = (workspaceDayMicros: number | null) => ({ budgets: { workspaceDayMicros } })
