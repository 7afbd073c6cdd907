'use client'
import { useState } from 'react'
import { Button } from '#components/ui/button.tsx'
import { fieldClasses } from '#components/ui/input.tsx'
import { cn } from '#lib/shared/cn.ts'
import type { ActionResult } from '#lib/shared/errors.ts'
import type { AnswerRule } from '#lib/shared/policy-contract.ts'
import type { RuleTest } from '#lib/shared/policy-draft.ts'
import { attempt } from './models-form.ts'
import { taskWords } from './models-words.ts'
import { RuleChoice, RuleNumber, RuleText } from './policy-rule-parts.tsx'
import { RuleCards } from './rule-cards.tsx'
import { Pair } from './rule-section.tsx'

export type TryRule = (input: { rule: AnswerRule; text: string }) => Promise<ActionResult<RuleTest>>

type Test = AnswerRule['test']
type TestKind = Test['kind']

const kinds = [
  ['must-not-match', 'a pattern is found in it'],
  ['must-match', 'a pattern is not found in it'],
  ['must-cite', 'it cites too little'],
  ['max-characters', 'it is too long'],
] as const satisfies readonly (readonly [TestKind, string])[]

const patternOf = (test: Test): string => ('pattern' in test ? test.pattern : '')

const testOf = (kind: TestKind, before: Test): Test => {
  if (kind === 'must-cite') return { kind, citations: 1 }
  if (kind === 'max-characters') return { kind, characters: 2_000 }
  return { kind, pattern: patternOf(before) }
}

/** What a rule needs before it can be kept; null: nothing. What is in it may still be wrong. */
export const missingInAnswerRule = ({ name, test }: AnswerRule): string | null => {
  if (name.trim() === '') return 'A rule needs a name.'
  if ('pattern' in test) return test.pattern === '' ? `The rule “${name}” needs a pattern.` : null
  return Number.isNaN('citations' in test ? test.citations : test.characters)
    ? `The rule “${name}” has a number that cannot be taken.`
    : null
}

/** A text that the rule is tried on, as it stands in the form. What came of it is shown until either changes. */
const TestPanel = ({ rule, tryRule }: { rule: AnswerRule; tryRule: TryRule }) => {
  const [text, setText] = useState('')
  const [tried, setTried] = useState<{ rule: AnswerRule; text: string; words: string; met: boolean } | null>(null)
  const [pending, setPending] = useState(false)
  const missing = missingInAnswerRule(rule)
  const result = tried?.rule === rule && tried.text === text ? tried : null
  const run = async () => {
    if (pending || missing) return
    setPending(true)
    const done = await attempt(tryRule({ rule, text }))
    setPending(false)
    setTried({ ...('value' in done ? done.value : { words: done.error, met: true }), rule, text })
  }
  return (
    <details className="mt-3">
      <summary className="cursor-default text-[13px] text-muted-foreground">Try it on a text</summary>
      <div className="mt-2 flex flex-col gap-2">
        <textarea
          aria-label={`A text to try ${rule.name || 'the rule'} on`}
          className={cn(fieldClasses, 'min-h-20 py-2 touch:text-base')}
          maxLength={20_000}
          value={text}
          onChange={({ target }) => setText(target.value)}
        />
        <div className="flex flex-wrap items-center gap-2">
          <Button size="sm" aria-disabled={pending || missing !== null} onClick={() => void run()}>
            {pending ? 'Trying…' : 'Try the rule'}
          </Button>
          <p
            role="status"
            className={cn('min-w-0 text-[13px]', result?.met ? 'text-warning' : 'text-muted-foreground')}
          >
            {result?.words}
          </p>
        </div>
      </div>
    </details>
  )
}

/** Rules over answers and over what tasks return, each with a panel to try it. */
export const AnswerRules = ({
  rules,
  tasks,
  tryRule,
  onChange,
}: {
  rules: readonly AnswerRule[]
  tasks: readonly string[]
  tryRule: TryRule
  onChange: (rules: AnswerRule[]) => void
}) => (
  <RuleCards
    title="Rules over answers"
    note="What an answer must hold or must not. Patterns are RE2: (?i) ignores case, \b is the edge of a word."
    kind="rule"
    rules={rules}
    fresh={(): AnswerRule => ({
      id: crypto.randomUUID(),
      name: '',
      over: 'answer',
      test: { kind: 'must-not-match', pattern: '' },
      act: 'warn',
      words: '',
    })}
    missing={missingInAnswerRule}
    onChange={onChange}
    card={({ rule, onChange: change }) => {
      const { test } = rule
      return (
        <>
          <Pair>
            <RuleText
              label="Name of the rule"
              max={80}
              value={rule.name}
              onChange={(name) => change({ ...rule, name })}
            />
            <RuleChoice
              label="Over"
              value={rule.over}
              options={[
                ['answer', 'answers'],
                ...tasks.map((task) => [task, `what “${taskWords(task)}” returns`] as const),
              ]}
              onChange={(over) => change({ ...rule, over })}
            />
            <RuleChoice
              label="When"
              value={test.kind}
              options={kinds}
              onChange={(kind) => change({ ...rule, test: testOf(kind, test) })}
            />
            {'pattern' in test ? (
              <RuleText
                label="Pattern (RE2)"
                max={500}
                code
                placeholder="(?i)\bguarantee"
                value={test.pattern}
                onChange={(pattern) => change({ ...rule, test: { ...test, pattern } })}
              />
            ) : test.kind === 'must-cite' ? (
              <RuleNumber
                label="Citations at least"
                min={1}
                max={20}
                value={test.citations}
                onChange={(citations) => change({ ...rule, test: { kind: 'must-cite', citations } })}
              />
            ) : (
              <RuleNumber
                label="Characters at most"
                min={50}
                max={100_000}
                value={test.characters}
                onChange={(characters) => change({ ...rule, test: { kind: 'max-characters', characters } })}
              />
            )}
            <RuleChoice
              label="Then"
              value={rule.act}
              options={[
                ['warn', 'it carries a warning'],
                ['withhold', 'it is withheld'],
              ]}
              onChange={(act) => change({ ...rule, act })}
            />
            <RuleText
              label="What the asker reads"
              max={300}
              placeholder="The name of the rule"
              value={rule.words}
              onChange={(words) => change({ ...rule, words })}
            />
          </Pair>
          <TestPanel rule={rule} tryRule={tryRule} />
        </>
      )
    }}
  />
)
