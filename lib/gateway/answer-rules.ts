/**
 * Rules that admins write over answers and over what tasks return. Patterns are RE2: no pattern takes longer than the text is long,
 * whoever wrote it. Pure but for compiled patterns, which are kept.
 */
import { RE2JS, RE2JSException } from 're2js'
import type { AnswerRule } from '#lib/shared/policy-contract.ts'

/** What a rule is held against: the text as it would be shown, without markers, and how often it cites. */
export type RuledText = { text: string; citations: number }

/** More than a model writes; what lies beyond is not looked at. */
const textCharsMax = 100_000
const compiledMax = 500
const compiled = new Map<string, RE2JS>()

const patternOf = (pattern: string): RE2JS => {
  const known = compiled.get(pattern)
  if (known) return known
  const made = RE2JS.compile(pattern)
  const [oldest] = compiled.keys()
  if (compiled.size >= compiledMax && oldest !== undefined) compiled.delete(oldest)
  compiled.set(pattern, made)
  return made
}

/** Why a pattern cannot be used, in words; null when it can. */
export const patternFault = (pattern: string): string | null => {
  try {
    patternOf(pattern)
    return null
  } catch (error) {
    if (!(error instanceof RE2JSException)) throw error
    const why = error.message.replace(/^error parsing regexp: /, '')
    return `The pattern ${pattern} cannot be read: ${why}. Patterns are RE2, without look-around and back-references.`
  }
}

const limits: {
  [Kind in AnswerRule['test']['kind']]: (test: AnswerRule['test'] & { kind: Kind }, on: RuledText) => boolean
} = {
  'must-not-match': ({ pattern }, { text }) => patternOf(pattern).test(text.slice(0, textCharsMax)),
  'must-match': ({ pattern }, { text }) => !patternOf(pattern).test(text.slice(0, textCharsMax)),
  'must-cite': ({ citations: least }, { citations }) => citations < least,
  'max-characters': ({ characters }, { text }) => text.length > characters,
}

/** Whether the rule acts on the text. A pattern that cannot be read, stored by another release, meets everything: fails closed. */
export const meetsRule = ({ test }: Pick<AnswerRule, 'test'>, on: RuledText): boolean => {
  try {
    return (limits[test.kind] as (test: AnswerRule['test'], on: RuledText) => boolean)(test, on)
  } catch (error) {
    if (error instanceof RE2JSException) return true
    throw error
  }
}

/** The rules over `over` that act on the text. */
export const rulesMet = (rules: readonly AnswerRule[], over: string, on: RuledText): AnswerRule[] =>
  rules.filter((rule) => rule.over === over && meetsRule(rule, on))

const leaves = (value: unknown): string[] => {
  if (typeof value === 'string') return [value]
  if (typeof value === 'number' || typeof value === 'boolean') return [String(value)]
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(leaves) : []
}

/** What a task returned, as the text that a rule reads: its values, a line each. */
export const outputText = (output: unknown): string => leaves(output).join('\n')
