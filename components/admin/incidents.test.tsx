import { renderToStaticMarkup } from 'react-dom/server'
import { describe, expect, it, vi } from 'vitest'
import type { SwitchRow } from '#lib/shared/incidents-contract.ts'
import { IncidentsScreen } from './incidents-screen.tsx'

vi.mock('next/navigation', () => ({
  useRouter: () => ({ refresh: () => undefined }),
  usePathname: () => '/admin/incidents',
  useSearchParams: () => new URLSearchParams(),
}))

const refuse = async () => ({ ok: false as const, error: { code: 'internal' as const, message: '', retryable: false } })
const actions = { throwSwitch: refuse, liftSwitch: refuse, findTargets: refuse }
const off: SwitchRow = {
  id: '1',
  kind: 'provider',
  label: 'OpenAI',
  reason: 'It makes things up.',
  since: '2026-05-04T14:02:00Z',
  by: 'Ada',
  liftedAt: null,
  liftedBy: null,
}
const render = (switches: SwitchRow[]) =>
  renderToStaticMarkup(<IncidentsScreen switches={switches} actions={actions} />)

describe('the page of incidents', () => {
  it('says what is off, since when, by whom and why, and the way back', () => {
    const markup = render([off, { ...off, id: '2', kind: 'generation', label: 'All answers', by: null }])
    for (const words of ['OpenAI', 'It makes things up.', 'Ada', 'a person who is gone', '2 switched off'])
      expect(markup).toContain(words)
    expect(markup).toContain('aria-label="Switch on again: OpenAI"')
    expect(markup).not.toContain('History')
  })

  it('tells what the switches are for while none is thrown, and keeps what was', () => {
    const markup = render([{ ...off, liftedAt: '2026-05-04T15:00:00Z', liftedBy: 'Grace' }])
    expect(markup).toContain('Nothing is switched off')
    expect(markup).toContain('History')
    expect(markup).toContain('Grace')
    expect(markup).not.toContain('Switch on again:')
  })

  it('gives away no name of a document that who looks may not read', () => {
    expect(render([{ ...off, kind: 'document', label: null }])).toContain(
      'A document that you cannot read, or that is gone',
    )
  })
})
