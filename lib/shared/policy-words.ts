/** A policy in sentences, and what changed between two in the same words. Pure; the page, the audit and refusals speak alike. */
import { type RedactionAct, redactionActs, type SensitiveKind, sensitiveKinds } from './gateway-settings.ts'
import {
  type AnswerRule,
  type PolicyFeature,
  type PolicyTopic,
  policyFeatures,
  policyTopics,
  type QuietJob,
  retentionKinds,
} from './policy-contract.ts'
import { type Governed, type PolicyDifference, type PolicyNames, retentionWords } from './policy-draft.ts'

export const policyGroups = ['read', 'leave', 'say', 'keep', 'spend', 'change'] as const
export type PolicyGroup = (typeof policyGroups)[number]

export const groupWords: Record<PolicyGroup, string> = {
  read: 'What may be used',
  leave: 'What may leave, and to whom',
  say: 'What may be said',
  keep: 'What is kept, and when work is done',
  spend: 'What may be spent',
  change: 'How this policy changes',
}

export type PolicyLine = {
  /** Names what the sentence is about: the same in every version. */
  key: string
  group: PolicyGroup
  words: string
}

export const featureWords: Record<PolicyFeature, string> = { chat: 'Chat', search: 'Search', summaries: 'Summaries' }

export const topicWords: Record<PolicyTopic, string> = {
  medical: 'medical matters',
  legal: 'legal matters',
  financial: 'money and investments',
  employment: 'people’s employment',
  security: 'security',
  'self-harm': 'self-harm',
}

export const quietJobWords: Record<QuietJob, string> = {
  sources: 'runs over sources',
  summaries: 'summaries of documents',
  graph: 'drawing the graph',
  recognition: 'reading pictures',
  encoders: 'changing the encoder',
}

export const actWords: Record<RedactionAct, string> = {
  allow: 'Leave as it is',
  mask: 'Mask',
  block: 'Keep inside',
}

export const sensitiveWords: Record<SensitiveKind, string> = {
  secret: 'Keys, tokens and passwords',
  card: 'Card numbers',
  iban: 'Bank accounts (IBAN)',
  'national-id': 'National identity numbers',
  email: 'E-mail addresses',
  phone: 'Phone numbers',
  ip: 'IP addresses',
  person: 'Names of people',
  address: 'Postal addresses',
}

const sentActs: Record<RedactionAct, string> = {
  allow: 'leave as they are',
  mask: 'are masked before text leaves',
  block: 'never leave: text with them goes to our own machines or to none',
}

const listed = (words: readonly string[]): string =>
  words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`

const quoted = (name: string): string => `“${name}”`

const collectionIn = (names: PolicyNames, id: string): string =>
  id in names.collections ? quoted(names.collections[id] ?? '') : 'a collection that is gone'
const modelIn = (names: PolicyNames, id: string): string => names.models[id] ?? `${id} (not set now)`

const featureLine = (feature: PolicyFeature, ids: readonly string[] | null, names: PolicyNames): string => {
  const subject = featureWords[feature]
  const verb = feature === 'summaries' ? 'use' : 'uses'
  if (ids === null) return `${subject} ${verb} every collection that the person may read.`
  if (ids.length === 0) return `${subject} ${verb} no collection.`
  return `${subject} ${verb} only ${listed(ids.map((id) => collectionIn(names, id)))}.`
}

const exposureLine = ({ collectionId, to }: Governed['policy']['exposure'][number], names: PolicyNames): string => {
  const what = `What is in ${collectionIn(names, collectionId)}`
  if (to === 'local') return `${what} is read only by models on our own machines.`
  if (to.length === 0) return `${what} is read by no model: its sentences are quoted as they stand.`
  return `${what} is read only by ${listed(to.map((id) => modelIn(names, id)))}.`
}

/** What a rule says of an answer, or of what a task returns, that meets it. */
export const ruleWords = ({ name, over, test, act }: Pick<AnswerRule, 'name' | 'over' | 'test' | 'act'>): string => {
  const what = over === 'answer' ? 'An answer' : `What “${over}” returns`
  const met = {
    'must-not-match': () => `in which ${'pattern' in test ? test.pattern : ''} is found`,
    'must-match': () => `in which ${'pattern' in test ? test.pattern : ''} is not found`,
    'must-cite': () => `with fewer than ${'citations' in test ? test.citations : 0} citations`,
    'max-characters': () => `of more than ${'characters' in test ? test.characters : 0} characters`,
  }[test.kind]()
  const then = act === 'withhold' ? 'is withheld' : over === 'answer' ? 'carries a warning' : 'is marked in its trace'
  return `${quoted(name)}: ${what} ${met} ${then}.`
}

const dollars = (micros: number): string => `$${Number((micros / 1_000_000).toFixed(6)).toLocaleString('en-US')}`

const budgetSubjects = {
  userDayMicros: 'A person spends at most',
  userMonthMicros: 'A person spends at most',
  workspaceDayMicros: 'The workspace spends at most',
  workspaceMonthMicros: 'The workspace spends at most',
  workspaceMinuteMicros: 'The workspace spends at most',
} as const satisfies Record<keyof Governed['budgets'], string>
const budgetTimes = {
  userDayMicros: 'a day',
  userMonthMicros: 'a month',
  workspaceDayMicros: 'a day',
  workspaceMonthMicros: 'a month',
  workspaceMinuteMicros: 'in one minute',
} as const satisfies Record<keyof Governed['budgets'], string>

const budgetNames = Object.keys(budgetSubjects) as (keyof Governed['budgets'])[]

const budgetLine = (name: keyof Governed['budgets'], micros: number | null): string =>
  micros === null
    ? `${budgetSubjects[name].replace('at most', `without a limit ${budgetTimes[name]}`)}.`
    : `${budgetSubjects[name]} ${dollars(micros)} ${budgetTimes[name]}.`

const quietLine = (quiet: Governed['policy']['quietHours']): string =>
  quiet === null
    ? 'Background work is done at any hour.'
    : `Between ${quiet.from} and ${quiet.to} (${quiet.timeZone}) these wait: ${listed(quiet.jobs.map((job) => quietJobWords[job]))}.`

/** Every rule as a sentence, also those that are as they come. Keys are the same in every version. */
export const policyLines = (governed: Governed, names: PolicyNames): PolicyLine[] => {
  const { policy, budgets, unknownPrice, providers, redaction, injection } = governed
  const { confidence } = policy
  const line = (group: PolicyGroup, key: string, words: string): PolicyLine => ({ group, key, words })
  return [
    ...policyFeatures.map((feature) =>
      line('read', `features.${feature}`, featureLine(feature, policy.features[feature], names)),
    ),
    line(
      'leave',
      'providers',
      providers === 'local'
        ? 'Text goes to models on our own machines only.'
        : 'Text goes to every provider that is set.',
    ),
    ...policy.exposure.map((one) => line('leave', `exposure.${one.collectionId}`, exposureLine(one, names))),
    ...sensitiveKinds.map((kind) =>
      line('leave', `redaction.acts.${kind}`, `${sensitiveWords[kind]} ${sentActs[redaction.acts[kind]]}.`),
    ),
    line(
      'leave',
      'redaction.alsoLocal',
      redaction.alsoLocal ? 'Masking holds for our own machines too.' : 'What stays on our own machines is not masked.',
    ),
    line(
      'leave',
      'redaction.restore',
      redaction.restore
        ? 'The person who asked sees masked values again in the answer.'
        : 'Masked values stay masked in the answer.',
    ),
    line(
      'leave',
      'injection.flagFrom',
      `Text that tries to give orders is marked in its trace from a score of ${injection.flagFrom}.`,
    ),
    line(
      'leave',
      'injection.quarantineFrom',
      injection.quarantineFrom >= 1
        ? 'No passage is held back from models.'
        : `A passage that tries to give orders goes to no model from a score of ${injection.quarantineFrom}, until it is released.`,
    ),
    ...policyTopics.map((topic) =>
      line(
        'say',
        `topics.${topic}`,
        {
          allow: `Answers about ${topicWords[topic]} are shown as they are.`,
          warn: `Answers about ${topicWords[topic]} are shown with a warning.`,
          withhold: `Questions about ${topicWords[topic]} are not answered, and answers about them are withheld.`,
        }[policy.topics[topic]],
      ),
    ),
    line(
      'say',
      'confidence.warnBelow',
      confidence.warnBelow === 0
        ? 'No answer carries a warning for its confidence.'
        : `An answer with a confidence below ${confidence.warnBelow} carries a warning.`,
    ),
    line(
      'say',
      'confidence.withholdBelow',
      confidence.withholdBelow === 0
        ? 'No answer is withheld for its confidence.'
        : `An answer with a confidence below ${confidence.withholdBelow} is withheld.`,
    ),
    ...policy.rules.map((rule) => line('say', `rules.${rule.id}`, ruleWords(rule))),
    ...retentionKinds.map((kind) => {
      const days = policy.retention[kind]
      const verb = kind === 'audit' ? 'is' : 'are'
      const words =
        days === null ? `${verb} kept for ever` : `${verb} deleted after ${days} ${days === 1 ? 'day' : 'days'}`
      return line('keep', `retention.${kind}`, `${retentionWords[kind]} ${words}.`)
    }),
    line('keep', 'quietHours', quietLine(policy.quietHours)),
    ...budgetNames.map((name) => line('spend', `budgets.${name}`, budgetLine(name, budgets[name]))),
    line(
      'spend',
      'unknownPrice',
      unknownPrice === 'refuse'
        ? 'A model whose price nobody knows is not asked.'
        : 'A model whose price nobody knows counts at the dearest price.',
    ),
    line(
      'change',
      'secondApprover',
      policy.secondApprover ? 'A change waits for a second admin.' : 'Every admin may change this policy alone.',
    ),
  ]
}

/** What differs between two policies, in the words of both. */
export const diffPolicy = (before: Governed, after: Governed, names: PolicyNames): PolicyDifference[] => {
  const old = new Map(policyLines(before, names).map(({ key, words }) => [key, words]))
  const now = new Map(policyLines(after, names).map(({ key, words }) => [key, words]))
  const said = [...new Set([...old.keys(), ...now.keys()])].flatMap((key): PolicyDifference[] => {
    const [was, is] = [old.get(key) ?? null, now.get(key) ?? null]
    return was === is ? [] : [{ key, before: was, after: is }]
  })
  // What a rule tells the asker is no part of its sentence.
  const words = new Map(before.policy.rules.map((rule) => [rule.id, rule.words]))
  const reworded = after.policy.rules.flatMap((rule): PolicyDifference[] => {
    const was = words.get(rule.id)
    if (was === undefined || was === rule.words) return []
    const told = (text: string): string => `${quoted(rule.name)} tells the asker: ${text ? quoted(text) : 'its name'}.`
    return [{ key: `rules.${rule.id}.words`, before: told(was), after: told(rule.words) }]
  })
  return [...said, ...reworded]
}

/** A difference as one sentence, for a refusal or a log. */
export const differenceWords = ({ before, after }: PolicyDifference): string =>
  after === null ? `Gone: ${before}` : before === null ? `New: ${after}` : `${after} (It was: ${before})`

export const redactionOptions = redactionActs.map((act) => [act, actWords[act]] as const)
