import { renderToStaticMarkup } from 'react-dom/server'
import { describe, expect, it } from 'vitest'
import type { ErasurePlan } from '#lib/shared/keeping-contract.ts'
import { ErasurePlanView } from './retention-erase.tsx'
import { confirms, countsWords, daysWords, runWords } from './retention-words.ts'

const nothing = () => undefined
const plan: ErasurePlan = {
  kind: 'person',
  id: '01a1ffc1-71fa-7b24-86d7-6ecb2d1e187f',
  label: 'Ada@Example.com',
  counts: { conversations: 1_200, keys: 2 },
  refusal: null,
  warnings: ['Documents that they uploaded stay.'],
}
const render = (shown: ErasurePlan, typed: string) =>
  renderToStaticMarkup(
    <ErasurePlanView plan={shown} typed={typed} pending={false} onType={nothing} onErase={nothing} />,
  )

describe('what an erasure would take', () => {
  it('is told with its counts, and can be done only once the name was typed', () => {
    const markup = render(plan, '')
    expect(markup).toContain('1,200')
    expect(markup).toContain('Documents that they uploaded stay.')
    expect(markup).toMatch(/<button[^>]*type="submit"[^>]*disabled/)
    expect(render(plan, ' ada@example.com ')).not.toMatch(/<button[^>]*disabled=""/)
    expect(confirms('ada@example.co', plan.label)).toBe(false)
  })

  it('offers nothing to press where it is refused, and says why', () => {
    const markup = render({ ...plan, refusal: 'This is on legal hold since 2026-11-02, because: A claim.' }, plan.label)
    expect(markup).toContain('because: A claim.')
    expect(markup).not.toContain('<button')
  })
})

describe('the words of retention', () => {
  it('say for how long, what a run did and what went', () => {
    expect([daysWords(null), daysWords(1), daysWords(400)]).toEqual(['for ever', 'one day', '400 days'])
    expect(runWords({})).toBe('Nothing was due')
    expect(runWords({ chats: 1_200, audit: 3 })).toBe('1,200 conversations, 3 lines of the audit log')
    expect(countsWords({ messages: 4, keys: 0 })).toBe('messages: 4')
  })
})
