/** A policy in sentences, and what changed between two in the same words. Pure; the page, the audit and refusals speak alike. */
import { type RedactionAct, redactionActs, type SensitiveKind, sensitiveKinds } from './gateway-settings.ts'
import {
  type AnswerRule,
  type PolicyFeature,
  type PolicyTopic,
  policyFeatures,
  policyTopics,
  type QuietJob,
  type ReviewAct,
  type ReviewPolicy,
  type ReviewRule,
  retentionKinds,
} from './policy-contract.ts'
import { type Governed, type PolicyDifference, type PolicyNames, retentionWords } from './policy-draft.ts'
import type { Role } from './viewer.ts'

export const policyGroups = ['read', 'leave', 'say', 'review', 'keep', 'spend', 'change'] as const
export type PolicyGroup = (typeof policyGroups)[number]

export const groupWords: Record<PolicyGroup, string> = {
  read: 'What may be used',
  leave: 'What may leave, and to whom',
  say: 'What may be said',
  review: 'What a person looks at',
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

/** Who asks. */
const askerWords: Record<Role, string> = {
  member: 'a member',
  reviewer: 'a reviewer',
  admin: 'an admin',
  owner: 'an owner',
}

const reviewActWords: Record<ReviewAct, string> = {
  warn: 'is shown with a warning',
  queue: 'is shown, and a person looks at it afterwards',
  hold: 'is held: nothing of it is shown until a person has decided',
}

const listed = (words: readonly string[], by: 'and' | 'or' = 'and'): string =>
  words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} ${by} ${words.at(-1)}`

const percent = (share: number): string => `${Number((share * 100).toFixed(4))} %`

/** Minutes in the largest unit that they fill without a rest. */
export const minutesWords = (minutes: number): string => {
  const [size, unit] = (
    [
      [1_440, 'day'],
      [60, 'hour'],
      [1, 'minute'],
    ] as const
  ).find(([one]) => minutes % one === 0) ?? [1, 'minute']
  const count = minutes / size
  return `${count} ${unit}${count === 1 ? '' : 's'}`
}

const quoted = (name: string): string => `“${name}”`

const collectionIn = (names: Pick<PolicyNames, 'collections'>, id: string): string =>
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

/** What a rule of review says of an answer that meets all that it names. */
export const reviewRuleWords = (
  { name, when, act }: Pick<ReviewRule, 'name' | 'when' | 'act'>,
  names: Pick<PolicyNames, 'collections'>,
): string => {
  const { collectionIds, topics, roles, confidenceBelow, personalData, injectionFrom } = when
  const conditions = [
    collectionIds &&
      `draws from ${listed(
        collectionIds.map((id) => collectionIn(names, id)),
        'or',
      )}`,
    topics &&
      `is about ${listed(
        topics.map((topic) => topicWords[topic]),
        'or',
      )}`,
    roles &&
      `was asked for by ${listed(
        roles.map((role) => askerWords[role]),
        'or',
      )}`,
    confidenceBelow !== undefined && `is less than ${percent(confidenceBelow)} sure (or could not be checked)`,
    personalData && 'holds personal data or secrets',
    injectionFrom !== undefined &&
      `was written over text that tries to give orders (a score of ${injectionFrom} or more)`,
  ].filter((one) => typeof one === 'string')
  const what = conditions.length === 0 ? 'Every answer' : `An answer that ${listed(conditions)}`
  return `${quoted(name)}: ${what} ${reviewActWords[act]}.`
}

/** The host alone: the rest of such an address is as good as a key. */
const hostOf = (address: string): string => (URL.canParse(address) ? new URL(address).host : 'an address')

type ReviewSetting = Exclude<keyof ReviewPolicy, 'rules'>
const reviewLines: { [Setting in ReviewSetting]: (value: ReviewPolicy[Setting]) => string } = {
  sampleShare: (share) =>
    share === 0
      ? 'No answer is taken at random for a person to look at.'
      : `Of the answers that are shown, ${percent(share)} are taken at random for a person to look at.`,
  feedback: (on) =>
    on
      ? 'An answer that gets a thumb down is looked at by a person.'
      : 'A thumb down is kept, and nobody is asked to look.',
  slaMinutes: (minutes) => `A decision is owed within ${minutesWords(minutes)}.`,
  holdMinutes: (minutes) => `A held answer that nobody has decided on is given up after ${minutesWords(minutes)}.`,
  fallback: (what) =>
    what === 'refuse'
      ? 'When a held answer is given up, the asker is told so, and no more.'
      : 'When a held answer is given up, the asker is told so, and shown which documents were read.',
  seedShare: (share) =>
    share === 0
      ? 'Reviewers are given no answers that are known to be wrong.'
      : `Of what reviewers are given, ${percent(share)} is known to be wrong, to see whether it is found.`,
  notifyByMail: (on) =>
    on
      ? 'When a held answer is decided, the asker is told in the product and by e-mail.'
      : 'When a held answer is decided, the asker is told in the product alone.',
  webhookUrl: (address) =>
    address
      ? `When a held answer is decided, ${hostOf(address)} is told.`
      : 'When a held answer is decided, no other system is told.',
}
const reviewSettings = Object.keys(reviewLines) as ReviewSetting[]
const reviewLine = <Setting extends ReviewSetting>(setting: Setting, review: ReviewPolicy): string =>
  reviewLines[setting](review[setting])

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
      `Text that tries to give orders is marked from a score of ${injection.flagFrom}: what is answered over it carries a warning, and a person looks at it.`,
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
    line(
      'say',
      'confidence.judge',
      confidence.judge
        ? 'A model is asked, too, whether what a sentence cites supports it.'
        : 'Confidence is told without asking a model.',
    ),
    ...policy.rules.map((rule) => line('say', `rules.${rule.id}`, ruleWords(rule))),
    ...policy.review.rules.map((rule) => line('review', `review.rules.${rule.id}`, reviewRuleWords(rule, names))),
    ...reviewSettings.map((name) => line('review', `review.${name}`, reviewLine(name, policy.review))),
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

type Worded = Pick<AnswerRule, 'id' | 'name' | 'words'>
const rewordedRules = (key: string, unworded: string, before: readonly Worded[], after: readonly Worded[]) => {
  const words = new Map(before.map((rule) => [rule.id, rule.words]))
  return after.flatMap(({ id, name, words: is }): PolicyDifference[] => {
    const was = words.get(id)
    if (was === undefined || was === is) return []
    const told = (text: string): string => `${quoted(name)} tells the asker: ${text ? quoted(text) : unworded}.`
    return [{ key: `${key}.${id}.words`, before: told(was), after: told(is) }]
  })
}

/** What is no part of a sentence: what a rule tells the asker, and where at a host decisions are told. */
const reworded = (before: Governed['policy'], after: Governed['policy']): PolicyDifference[] => {
  const [was, is] = [before.review.webhookUrl, after.review.webhookUrl]
  const moved = was && is && was !== is && hostOf(was) === hostOf(is)
  return [
    ...rewordedRules('rules', 'its name', before.rules, after.rules),
    ...rewordedRules('review.rules', 'what was met', before.review.rules, after.review.rules),
    ...(moved
      ? [
          {
            key: 'review.webhookUrl.path',
            before: reviewLines.webhookUrl(was),
            after: `When a held answer is decided, another address at ${hostOf(is)} is told.`,
          },
        ]
      : []),
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
  return [...said, ...reworded(before.policy, after.policy)]
}

/** A difference as one sentence, for a refusal or a log. */
export const differenceWords = ({ before, after }: PolicyDifference): string =>
  after === null ? `Gone: ${before}` : before === null ? `New: ${after}` : `${after} (It was: ${before})`

export const redactionOptions = redactionActs.map((act) => [act, actWords[act]] as const)
