import { renderToStaticMarkup } from 'react-dom/server'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { newId } from '#lib/shared/ids.ts'
import { type ReviewRule, reviewPolicySchema, reviewRuleSchema } from '#lib/shared/policy-contract.ts'
import { readForm } from './models-values.ts'
import { missingInReviewRule, ReviewFields, ReviewRules, readReview } from './policy-review.tsx'
import { numberIn } from './policy-rule-parts.tsx'

const people = newId()
const rule = (over: Partial<ReviewRule>): ReviewRule => ({
  ...reviewRuleSchema.parse({ id: newId(), name: 'Law' }),
  ...over,
})
const cards = (...rules: ReviewRule[]): string =>
  renderToStaticMarkup(
    <ReviewRules rules={rules} collections={[{ value: people, label: 'People' }]} onChange={() => undefined} />,
  )

describe('the cards of review rules', () => {
  it('say each rule in the words of the policy, and that the strongest act holds', () => {
    const markup = cards(rule({ when: { collectionIds: [people], confidenceBelow: 0.55 }, act: 'hold' }))
    expect(markup).toContain('the strongest holds')
    expect(markup).toContain(
      '“Law”: An answer that draws from “People” and is less than 55 % sure (or could not be checked) is held',
    )
    expect(markup).toMatch(/aria-label="Less sure than, in percent"[^>]*value="55"/)
    expect(markup).not.toContain('aria-label="Score of text')
    expect(markup.match(/checked=""/g)).toHaveLength(3)
  })

  it('give every control a name, and say what a rule still needs', () => {
    const markup = cards(
      rule({ when: { topics: [], roles: ['member'], injectionFrom: 0.3, personalData: true } }),
      rule({ name: '' }),
    )
    for (const [tag] of markup.matchAll(/<(?:input|select|textarea)[^>]*>/g))
      expect(/aria-label=|id="/.test(tag) || tag.includes('type="checkbox"'), tag).toBe(true)
    expect(markup).toContain('names nothing under “It is about any of these”')
    expect(markup).toContain('A review rule needs a name.')
    expect(markup).toContain('aria-label="Delete review rule Law"')
  })

  it('are whole once they have a name and every list that is ticked has something in it', () => {
    expect(missingInReviewRule(rule({}))).toBeNull()
    expect(missingInReviewRule(rule({ when: { roles: ['member'], confidenceBelow: 0.4 } }))).toBeNull()
    expect(missingInReviewRule(rule({ name: '  ' }))).toContain('needs a name')
    expect(missingInReviewRule(rule({ when: { collectionIds: [] } }))).toContain('names nothing')
  })

  it('take no number for another: one that cannot be taken stays, with words at its field and under its card', () => {
    const percent = { min: 1, max: 100 }
    expect([' 15 ', '100', '1e1'].map((text) => numberIn(text, percent))).toEqual([15, 100, 10])
    expect(['150', '0', '-1', '2.5', '', ' ', 'many'].map((text) => numberIn(text, percent))).toEqual(
      Array(7).fill(Number.NaN),
    )
    expect(numberIn('0.35', { min: 0.01, max: 1, step: 0.01 })).toBe(0.35)
    const typed = rule({ when: { confidenceBelow: Number.NaN } })
    expect(missingInReviewRule(typed)).toContain('a number that cannot be taken')
    const markup = cards(typed)
    expect(markup).toMatch(/aria-label="Less sure than, in percent"[^>]*aria-invalid="true"/)
    expect(markup).toContain('Write a whole number from 1 to 100.')
    expect(markup).toContain('a number that cannot be taken')
    expect(cards(rule({ when: { confidenceBelow: 0.5 } }))).not.toContain('aria-invalid="true"')
  })
})

describe('the settings of review', () => {
  afterEach(() => void vi.unstubAllGlobals())

  /** The form as a browser would send it: what is shown in it, with what a person typed over it. */
  const sent = (markup: string, typed: Record<string, string> = {}) => {
    const fields = new Map<string, string>()
    for (const [tag] of markup.matchAll(/<input[^>]*>/g)) {
      const attribute = (name: string): string | undefined => new RegExp(` ${name}="([^"]*)"`).exec(tag)?.[1]
      if (attribute('type') !== 'checkbox' || tag.includes(' checked=""'))
        fields.set(attribute('name') ?? '', attribute('value') ?? '')
    }
    for (const [, name, inner] of markup.matchAll(/<select[^>]* name="([^"]*)"[^>]*>(.*?)<\/select>/g))
      fields.set(name ?? '', /value="([^"]*)" selected=""/.exec(inner ?? '')?.[1] ?? '')
    for (const [name, text] of Object.entries(typed)) fields.set(name, text)
    vi.stubGlobal('FormData', Map)
    return readReview(readForm(fields as unknown as HTMLFormElement))
  }

  it.each([
    reviewPolicySchema.parse({}),
    reviewPolicySchema.parse({
      sampleShare: 0.025,
      feedback: false,
      slaMinutes: 1,
      holdMinutes: 43_199,
      fallback: 'sources',
      seedShare: 0.5,
      notifyByMail: true,
      webhookUrl: 'https://hooks.halden.example/k?a=1',
    }),
  ])('come out of the form as they went in: %#', (review) => {
    const { rules: _, ...settings } = review
    expect(sent(renderToStaticMarkup(<ReviewFields review={review} />))).toEqual(settings)
  })

  it('refuse what cannot be, at its field', () => {
    const markup = renderToStaticMarkup(<ReviewFields review={reviewPolicySchema.parse({})} />)
    for (const [field, text] of [
      ['review.slaMinutes', '0'],
      ['review.holdMinutes', '721'],
      ['review.sampleShare', '101'],
      ['review.seedShare', '51'],
      ['review.seedShare', 'many'],
    ] as const)
      expect(() => sent(markup, { [field]: text })).toThrow(expect.objectContaining({ field }))
    expect(sent(markup, { 'review.holdMinutes': '1.5' }).holdMinutes).toBe(90)
  })
})
