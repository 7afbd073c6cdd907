'use client'
import { Plus } from 'lucide-react'
import { useState } from 'react'
import { Button } from '#components/ui/button.tsx'
import { fieldClasses, Input } from '#components/ui/input.tsx'
import { cn } from '#lib/shared/cn.ts'
import type { ActionResult } from '#lib/shared/errors.ts'
import type { AnswerRule } from '#lib/shared/policy-contract.ts'
import type { RuleTest } from '#lib/shared/policy-draft.ts'
import { attempt } from './models-form.ts'
import { taskWords } from './models-words.ts'
import { Labelled, NumberInput } from './policy-rule-parts.tsx'
import { Pair, RuleSection } from './rule-section.tsx'
import { Select } from './select.tsx'

export type TryRule = (input: { rule: AnswerRule; text: string }) => Promise<ActionResult<RuleTest>>

type Test = AnswerRule['test']
type TestKind = Test['kind']

const kindWords: Record<TestKind, string> = {
  'must-not-match': 'a pattern is found in it',
  'must-match': 'a pattern is not found in it',
  'must-cite': 'it cites too little',
  'max-characters': 'it is too long',
}
const kinds = Object.keys(kindWords) as TestKind[]

const patternOf = (test: Test): string => ('pattern' in test ? test.pattern : '')

const testOf = (kind: TestKind, before: Test): Test => {
  if (kind === 'must-cite') return { kind, citations: 1 }
  if (kind === 'max-characters') return { kind, characters: 2_000 }
  return { kind, pattern: patternOf(before) }
}

/** A rule that has what it needs to be kept; what is in it may still be wrong. */
export const isWhole = ({ name, test }: AnswerRule): boolean =>
  name.trim() !== '' && (!('pattern' in test) || test.pattern !== '')

/** A text that the rule is tried on, as it stands in the form. */
const TestPanel = ({ rule, tryRule }: { rule: AnswerRule; tryRule: TryRule }) => {
  const [text, setText] = useState('')
  const [result, setResult] = useState<{ words: string; met: boolean } | null>(null)
  const [pending, setPending] = useState(false)
  const run = async () => {
    setPending(true)
    const tried = await attempt(tryRule({ rule, text }))
    setPending(false)
    setResult('value' in tried ? tried.value : { words: tried.error, met: true })
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
          <Button
            size="sm"
            aria-disabled={pending || !isWhole(rule)}
            onClick={() => isWhole(rule) && !pending && void run()}
          >
            {pending ? 'Trying…' : 'Try the rule'}
          </Button>
          <p
            role="status"
            className={cn('min-w-0 text-[13px]', result?.met ? 'text-warning' : 'text-muted-foreground')}
          >
            {result?.words ?? (isWhole(rule) ? '' : 'It needs a name and a pattern first.')}
          </p>
        </div>
      </div>
    </details>
  )
}

const RuleCard = ({
  rule,
  tasks,
  tryRule,
  onChange,
  onRemove,
}: {
  rule: AnswerRule
  tasks: readonly string[]
  tryRule: TryRule
  onChange: (rule: AnswerRule) => void
  onRemove: () => void
}) => {
  const { test } = rule
  return (
    <fieldset className="min-w-0 rounded-md border p-3">
      <legend className="sr-only">{rule.name || 'A new rule'}</legend>
      <Pair>
        <Labelled label="Name of the rule">
          {(id) => (
            <Input
              id={id}
              maxLength={80}
              value={rule.name}
              onChange={({ target }) => onChange({ ...rule, name: target.value })}
            />
          )}
        </Labelled>
        <Labelled label="Over">
          {(id) => (
            <Select
              id={id}
              className="w-full"
              value={rule.over}
              onChange={({ target }) => onChange({ ...rule, over: target.value })}
            >
              <option value="answer">answers</option>
              {tasks.map((task) => (
                <option key={task} value={task}>
                  what “{taskWords(task)}” returns
                </option>
              ))}
            </Select>
          )}
        </Labelled>
        <Labelled label="When">
          {(id) => (
            <Select
              id={id}
              className="w-full"
              value={test.kind}
              onChange={({ target }) => onChange({ ...rule, test: testOf(target.value as TestKind, test) })}
            >
              {kinds.map((kind) => (
                <option key={kind} value={kind}>
                  {kindWords[kind]}
                </option>
              ))}
            </Select>
          )}
        </Labelled>
        {'pattern' in test ? (
          <Labelled label="Pattern (RE2)">
            {(id) => (
              <Input
                id={id}
                className="font-mono"
                maxLength={500}
                spellCheck={false}
                placeholder="(?i)\bguarantee"
                value={test.pattern}
                onChange={({ target }) => onChange({ ...rule, test: { ...test, pattern: target.value } })}
              />
            )}
          </Labelled>
        ) : test.kind === 'must-cite' ? (
          <Labelled label="Citations at least">
            {(id) => (
              <NumberInput
                id={id}
                min={1}
                max={20}
                value={test.citations}
                onChange={(citations) => onChange({ ...rule, test: { kind: 'must-cite', citations } })}
              />
            )}
          </Labelled>
        ) : (
          <Labelled label="Characters at most">
            {(id) => (
              <NumberInput
                id={id}
                min={50}
                max={100_000}
                value={test.characters}
                onChange={(characters) => onChange({ ...rule, test: { kind: 'max-characters', characters } })}
              />
            )}
          </Labelled>
        )}
        <Labelled label="Then">
          {(id) => (
            <Select
              id={id}
              className="w-full"
              value={rule.act}
              onChange={({ target }) => onChange({ ...rule, act: target.value === 'withhold' ? 'withhold' : 'warn' })}
            >
              <option value="warn">it carries a warning</option>
              <option value="withhold">it is withheld</option>
            </Select>
          )}
        </Labelled>
        <Labelled label="What the asker reads">
          {(id) => (
            <Input
              id={id}
              maxLength={300}
              placeholder="The name of the rule"
              value={rule.words}
              onChange={({ target }) => onChange({ ...rule, words: target.value })}
            />
          )}
        </Labelled>
      </Pair>
      <TestPanel rule={rule} tryRule={tryRule} />
      <div className="mt-2 flex justify-end">
        <Button variant="quiet" size="sm" aria-label={`Delete rule ${rule.name}`.trim()} onClick={onRemove}>
          Delete rule
        </Button>
      </div>
    </fieldset>
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
  <RuleSection
    title="Rules over answers"
    note="What an answer must hold or must not. Patterns are RE2: (?i) ignores case, \b is the edge of a word."
  >
    {rules.map((rule) => (
      <RuleCard
        key={rule.id}
        rule={rule}
        tasks={tasks}
        tryRule={tryRule}
        onChange={(next) => onChange(rules.map((one) => (one.id === rule.id ? next : one)))}
        onRemove={() => onChange(rules.filter(({ id }) => id !== rule.id))}
      />
    ))}
    <div>
      <Button
        size="sm"
        onClick={() =>
          onChange([
            ...rules,
            {
              id: crypto.randomUUID(),
              name: '',
              over: 'answer',
              test: { kind: 'must-not-match', pattern: '' },
              act: 'warn',
              words: '',
            },
          ])
        }
      >
        <Plus aria-hidden />
        Add rule
      </Button>
    </div>
  </RuleSection>
)
