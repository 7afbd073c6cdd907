import { renderToStaticMarkup } from 'react-dom/server'
import { describe, expect, it } from 'vitest'
import { defaultGatewaySettings } from '#lib/shared/gateway-settings.ts'
import { newId } from '#lib/shared/ids.ts'
import { governedOf, type PreviewPart } from '#lib/shared/policy-draft.ts'
import { missingInAnswerRule } from './policy-answer-rules.tsx'
import { PolicyForm } from './policy-form.tsx'
import { joinParts, previewWords } from './policy-preview.tsx'
import { Differences } from './policy-screen.tsx'

const none = { withhold: 0, hold: 0, queue: 0, warn: 0 }
const part = (over: Partial<PreviewPart>): PreviewPart => ({
  judged: 40,
  total: 200,
  next: 'x',
  acts: none,
  counts: [],
  answers: [],
  ...over,
})

describe('a preview', () => {
  it('adds its parts up, by rule', () => {
    const count = { id: 'medical', kind: 'topic' as const, words: 'about medical, withheld', act: 'withhold' as const }
    const joined = joinParts(
      part({ acts: { ...none, withhold: 9, hold: 1 }, counts: [{ ...count, answers: 9 }] }),
      part({
        judged: 160,
        next: null,
        acts: { withhold: 5, hold: 1, queue: 4, warn: 3 },
        counts: [{ ...count, answers: 5 }],
      }),
    )
    expect(joined).toMatchObject({
      judged: 200,
      acts: { withhold: 14, warn: 3 },
      next: null,
      counts: [{ answers: 14 }],
    })
    expect(previewWords(joined)).toBe(
      'Of last week’s 200 answers, 14 would have been withheld, 2 would have been held for a person, 4 would have been shown and looked at by a person and 3 would have carried a warning.',
    )
  })

  it('says when nothing would change, and when there is nothing to try it on', () => {
    expect(previewWords(part({ judged: 1 }))).toBe('None of last week’s 1 answer would have been touched.')
    expect(previewWords(part({ judged: 0 }))).toContain('nothing to try it on')
  })
})

it('shows what was and what becomes of it, in words that do not rest on colour', () => {
  const shown = renderToStaticMarkup(
    <Differences
      label="Changes"
      changes={[
        { key: 'a', before: 'One.', after: 'Two.' },
        { key: 'b', before: 'Three.', after: null },
        { key: 'c', before: null, after: '<b>' },
      ]}
    />,
  )
  expect(shown).toContain('Was: </span>One.')
  expect(shown).toContain('Becomes: </span>Two.')
  expect(shown).toContain('This is gone.')
  expect(shown).toContain('&lt;b&gt;')
})

it('has a field with a name for every rule of a policy', () => {
  const usual = governedOf(defaultGatewaySettings)
  const never = async () => ({ ok: true as const, value: { id: '' } })
  const collectionId = '01a1ffb6-2ebf-7897-88c9-1d23448b02a9'
  const rule = { name: 'No promises', over: 'answer', act: 'warn' as const, words: '' }
  const shown = renderToStaticMarkup(
    <PolicyForm
      start={{
        ...{ basedOn: 3, reason: 'Asked for' },
        content: {
          ...usual,
          policy: {
            ...usual.policy,
            features: { ...usual.policy.features, chat: [collectionId] },
            exposure: [{ collectionId, to: ['p1'] }],
            rules: [{ ...rule, id: newId(), test: { kind: 'must-cite', citations: 2 } }],
            review: {
              ...usual.policy.review,
              rules: [{ id: newId(), name: 'Law', when: { topics: ['legal'] }, act: 'hold', words: '' }],
            },
            quietHours: { from: '22:00', to: '06:00', timeZone: 'UTC', jobs: ['graph'] },
          },
        },
      }}
      view={{
        collections: [{ value: collectionId, label: 'People' }],
        models: [{ value: 'p1', label: 'every model at Acme' }],
        tasks: ['title'],
      }}
      save={never}
      tryRule={async () => ({ ok: true, value: { met: false, words: '' } })}
      onSaved={() => undefined}
      onClose={() => undefined}
    />,
  )
  for (const words of [
    'Chat may use',
    'People may be read by',
    'Medical matters',
    'Withhold below',
    'Citations at least',
    'What a person looks at',
    '“Law”: An answer that is about legal matters is held',
    'A decision is owed within',
    'Tell another system',
    'The audit log',
    'Time zone',
    'The workspace in one minute',
    'Card numbers',
    'Hold a passage back from models',
    'A change waits for a second admin',
    'Why this change',
  ])
    expect(shown).toContain(words)
  const names = [...shown.matchAll(/<(?:input|select|textarea)[^>]*>/g)].map(([tag]) => tag)
  for (const tag of names) expect(/aria-label=|id="/.test(tag) || tag.includes('type="checkbox"'), tag).toBe(true)
})

it('says of a rule over answers what it needs', () => {
  const rule = { id: newId(), name: 'No promises', over: 'answer', act: 'warn' as const, words: '' }
  expect(missingInAnswerRule({ ...rule, test: { kind: 'must-match', pattern: 'x' } })).toBeNull()
  expect(missingInAnswerRule({ ...rule, test: { kind: 'must-cite', citations: 1 } })).toBeNull()
  expect(missingInAnswerRule({ ...rule, name: ' ', test: { kind: 'must-cite', citations: 1 } })).toContain('a name')
  expect(missingInAnswerRule({ ...rule, test: { kind: 'must-match', pattern: '' } })).toContain('a pattern')
  expect(missingInAnswerRule({ ...rule, test: { kind: 'max-characters', characters: Number.NaN } })).toContain('number')
})
