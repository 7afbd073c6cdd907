/** What must hold after every fault, whatever it was: judged from what is left of its world. */
import { type Check, check } from './chaos-fault.ts'
import type { Remains } from './chaos-world.ts'

/** Each stored answer has an end, and each question exactly one answer that counts. */
const messagesEnd = ({ messages }: Remains): Check[] => {
  const answers = messages.filter(({ role }) => role === 'assistant')
  const open = answers.filter(({ status }) => status === 'streaming').length
  const wrong = messages
    .filter(({ role }) => role === 'user')
    .filter(({ id }) => answers.filter((one) => one.questionId === id && !one.supersededAt).length !== 1).length
  return [
    check('every message has one end', open === 0, `${open} of ${answers.length} answers have no end`),
    check('one answer for each question', wrong === 0, `${wrong} questions have none or several`),
  ]
}

/** What a reader saw is what is stored. */
const streamsEnd = ({ told, messages }: Remains): Check[] => {
  const streams = told.filter(({ httpStatus }) => httpStatus === 200)
  const wrong = streams.filter(({ finishes, closed }) => finishes !== 1 || !closed).length
  const differ = streams.filter(({ messageId, text, status }) => {
    const stored = messages.find(({ questionId, supersededAt }) => questionId === messageId && !supersededAt)
    return stored?.text !== text || stored.status !== status
  }).length
  return [
    check('every stream has one finish', wrong === 0, `${wrong} of ${streams.length} streams have none or several`),
    check('what was shown is what is stored', differ === 0, `${differ} of ${streams.length} differ`),
  ]
}

/** Tokens as the providers told them against tokens in the ledger; lines that were estimated are unknown usage. */
const ledgerAgrees = ({ ledger, requests }: Remains): Check[] => {
  const lines = ledger.filter(({ cache, provider }) => cache === null && provider !== 'built-in')
  const tries = lines.reduce((sum, { attempts }) => sum + attempts, 0)
  const known = lines.filter(({ usageEstimated, tokensOut }) => !usageEstimated && tokensOut !== null)
  const booked = known.reduce((sum, { tokensIn, tokensOut }) => sum + (tokensIn ?? 0) + (tokensOut ?? 0), 0)
  const told = requests.reduce((sum, { told: one }) => sum + believable(one), 0)
  const unknown = lines.length - known.length
  return [
    check(
      'every call is in the ledger',
      tries >= requests.length,
      `${requests.length} calls seen by the providers, ${tries} tries in ${lines.length} lines of the ledger`,
    ),
    check(
      'the ledger agrees with the providers',
      // What a provider told a reader that had hung up is unknown to us: its line is an estimate.
      booked === told || (booked < told && unknown > 0),
      `${told} tokens told by the providers, ${booked} in the ledger, ${unknown} lines unknown`,
    ),
  ]
}

const tokensMost = 1_000_000

/** Tokens that a provider told, where they can be true. */
const believable = (told: Remains['requests'][number]['told']): number => {
  if (!told) return 0
  const { prompt_tokens: tokensIn, completion_tokens: tokensOut } = told
  const can = (tokens: number): boolean => tokens >= 0 && tokens <= tokensMost
  return can(tokensIn) && can(tokensOut) ? tokensIn + tokensOut : 0
}

const processIsWell = ({ log, exitCode, readyAtEnd }: Remains): Check[] => {
  const fault = log
    .split('\n')
    .find((line) => /a fault that nothing handled|unhandledRejection|uncaughtException/.test(line))
  return [
    check('nothing unhandled in the log', fault === undefined, fault?.slice(0, 300) ?? 'none'),
    check('ready at the end, and ends in peace', readyAtEnd && exitCode === 0, `ready ${readyAtEnd}, exit ${exitCode}`),
  ]
}

export const invariantsOf = (remains: Remains): Check[] => [
  ...messagesEnd(remains),
  ...streamsEnd(remains),
  ...ledgerAgrees(remains),
  ...processIsWell(remains),
]
