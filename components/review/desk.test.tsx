import { renderToStaticMarkup } from 'react-dom/server'
import { describe, expect, it, vi } from 'vitest'
import { reviewDetail, reviewRow } from '#components/fixtures/review-detail.ts'
import type { ReviewDetail, ReviewMetrics } from '#lib/shared/review-contract.ts'
import { mentionAt, mentionedIn, mentionsOf } from './comments.tsx'
import type { DeskActions, DeskViewer } from './desk-contract.ts'
import { Scores } from './desk-more.tsx'
import { DeskScreen } from './desk-screen.tsx'
import { DiffText } from './diff-text.tsx'
import { FiguresScreen } from './figures-screen.tsx'
import { passageIn } from './passage-context.ts'
import { QueueScreen } from './queue-screen.tsx'

vi.mock('next/navigation', () => ({
  useRouter: () => ({ refresh: () => undefined, replace: () => undefined, push: () => undefined }),
  usePathname: () => '/review',
  useSearchParams: () => new URLSearchParams(),
}))

const now = '2026-03-02T10:00:00.000Z'
const refuse = async () => ({
  ok: false as const,
  error: { code: 'internal' as const, message: 'Not now.', retryable: false },
})
const actions: DeskActions = {
  ...{
    saveDraft: refuse,
    checkEdit: refuse,
    comment: refuse,
    listReviewers: refuse,
    handOn: refuse,
    askExpert: refuse,
    saveGolden: refuse,
    saveCurated: refuse,
    noteDocument: refuse,
  },
}
const filter = { whose: 'all', order: 'due' } as const
const desk = (change: Partial<ReviewDetail> = {}, viewer: Partial<DeskViewer> = {}): string =>
  renderToStaticMarkup(
    <DeskScreen
      initial={{ item: reviewDetail(change), now }}
      filter={filter}
      openCount={7}
      viewer={{ id: 'me', mayTakeOver: false, maySeeTraces: false, ...viewer }}
      actions={actions}
    />,
  )
const text = (markup: string): string =>
  markup
    .replace(/<[^>]+>/g, ' ')
    .replace(/&quot;/g, '"')
    .replace(/\s+/g, ' ')

describe('the desk', () => {
  it('shows each sentence beside what its source says, and why one is not supported', () => {
    const markup = desk()
    const words = text(markup)
    expect(words).toContain('Can we ship customer logs to the Brazilian support team?')
    expect(words).toContain('Asked by Jon P. , ')
    expect(words).toContain('Held: sensitive topic')
    expect(markup).toContain('<mark>Support logs are kept for 30 days</mark>')
    expect(words).toContain('The number differs: 90 days is not in the passage.')
    expect(markup.match(/Not supported as written/g)).toHaveLength(1)
    expect(markup).toContain('aria-label="Sentence 3 of 3, not supported as written"')
    expect(words).toContain('not opened yet')
    expect(words).toContain('due in 2 h 10 min')
  })

  it('starts at the sentence that is in doubt', () => {
    expect(desk()).toMatch(/id="sentence-2"[^>]*tabindex="0"/i)
    expect(desk({ claims: reviewDetail().claims.slice(0, 2) })).toMatch(/id="sentence-0"[^>]*tabindex="0"/i)
  })

  it('shows what no claim covers too: nothing is approved unread', () => {
    const { text: answer, claims } = reviewDetail()
    const first = claims.slice(0, 1)
    expect(text(desk({ claims: first }))).toContain('Logs must be deleted after 90 days.')
    expect(text(desk({ text: answer, claims: [] }))).toContain('Such an agreement exists for Brazil since 2024.')
  })

  it('says whose it is, and offers to take it over only to who may', () => {
    const until = '2026-03-02T10:09:42.000Z'
    expect(text(desk({ claimedBy: { id: 'me', name: 'Ana', until } }))).toContain('yours for 9:42')
    const theirs = { claimedBy: { id: 'ben', name: 'Ben', until }, cannot: 'Ben is working on this.' }
    expect(text(desk(theirs))).toContain('Ben has it now. You can read and comment.')
    expect(desk(theirs)).not.toContain('Take it over')
    expect(desk(theirs, { mayTakeOver: true })).toContain('Take it over')
  })

  it('says who decided, how and with which words, once somebody has', () => {
    const words = text(
      desk({
        state: 'edited',
        decided: {
          ...{ at: '2026-03-02T09:50:00.000Z', by: 'Ben' },
          decision: {
            ...{ act: 'edit', contentHash: 'a', note: 'Thirty, not ninety.' },
            text: reviewDetail().text.replace('90 days.[^3]', '30 days.[^1]'),
          },
        },
      }),
    )
    expect(words).toContain('The edit that was approved')
    expect(words).toContain('(taken out: 90 )')
    expect(words).not.toContain('Reject')
    expect(words).toContain('Ben approved it with an edit')
    expect(words).toContain('Note: Thirty, not ninety.')
    expect(words).not.toContain('due in')
  })

  it('offers to keep what was decided on: an approved answer in every way, a rejected one as a note alone', () => {
    const decided = {
      ...{ at: '2026-03-02T09:50:00.000Z', by: 'Ben' },
      decision: { act: 'approve' as const, contentHash: 'a' },
    }
    const [golden, curated, note] = ['Save as golden case', 'Save as checked answer', 'Note on a document']
    for (const state of ['approved', 'edited'] as const)
      for (const words of [golden, curated, note]) expect(desk({ state, decided })).toContain(words)
    const rejected = desk({ state: 'rejected', decided })
    expect(rejected).toContain(note)
    expect(rejected).not.toContain(golden)
    expect(rejected).not.toContain(curated)
    for (const markup of [desk(), desk({ state: 'withdrawn' }), desk({ state: 'expired' })])
      expect(markup).not.toContain(note)
  })

  it('names sources as the chat does, and says what a marker is called where that is another number', () => {
    const { text: answer, citations } = reviewDetail()
    const numbered = citations.map((one) => (one.ordinal === 3 ? { ...one, n: 1 } : one))
    const draft = { text: answer.replace('90 days.', '30 days.[^9]'), note: '', updatedAt: now }
    const markup = desk({ citations: numbered, draft })
    expect(markup).toContain('aria-label="Open source 1"')
    expect(markup).toContain('aria-label="Open source 2"')
    expect(markup).not.toContain('aria-label="Open source 3"')
    // A marker that names nothing stays as it was typed, so that it is found in the field.
    expect(text(markup)).toContain('[^9]')
    expect(text(markup)).not.toContain('[3]')
  })

  it('shows a sentence of a list without its mark, and edits it with it', () => {
    const first = reviewDetail().claims.slice(0, 1)
    const answer = '- Logs are kept.[^1]\n2. Ask first.'
    const claims = [
      { ...reviewDetail().claims[0], text: '- Logs are kept.', start: 0, end: 16 },
      { ...reviewDetail().claims[1], text: '2. Ask first.', start: 21, end: 34 },
    ].map((one) => ({ ...first[0], ...one })) as ReviewDetail['claims']
    const rows = text(desk({ text: answer, claims }))
    expect(rows).toContain('Logs are kept.')
    expect(rows).not.toContain('- Logs')
    expect(rows).toContain('Ask first.')
    expect(rows).not.toContain('2. Ask')
    const edited = desk({
      ...{ text: answer, claims },
      draft: { text: '- Logs are kept long.[^1]\n2. Ask first.', note: '', updatedAt: now },
    })
    expect(text(edited)).toContain('- Logs are kept')
  })

  it('brings a draft back, with what it changes', () => {
    const { text: answer } = reviewDetail()
    const draft = { text: answer.replace('90 days', '30 days'), note: '', updatedAt: now }
    const markup = desk({ draft })
    expect(markup).toContain('Approve with edit')
    expect(markup).toMatch(/<del[^>]*>.*90.*<\/del>/)
    expect(markup).toMatch(/<ins[^>]*>.*30.*<\/ins>/)
    expect(desk()).not.toContain('Approve with edit')
  })

  it('shows both sides where the sources disagree, above the sentences, and nothing where they do not', () => {
    const sides = [
      { title: 'Security policy', quote: 'Support logs are kept for 30 days.' },
      { title: 'Support handbook', quote: '<b>Support logs</b> are kept for 90 days.' },
    ]
    const markup = desk({ contradictions: [{ kind: 'number', words: 'They differ.', sides }] })
    const words = text(markup)
    expect(words).toContain('The sources disagree On a number')
    for (const { title } of sides) expect(words).toContain(title)
    expect(words).toContain('Support logs are kept for 30 days.')
    expect(markup).toContain('&lt;b&gt;Support logs&lt;/b&gt; are kept for 90 days.')
    expect(markup.indexOf('kept for 90 days')).toBeLessThan(markup.indexOf('id="sentence-0"'))
    expect(text(desk())).not.toContain('The sources disagree On')
  })

  it('leads to the trace who may see it, and nobody else', () => {
    const traceId = '019a0000-0000-7000-8000-00000000000f'
    const more = (maySeeTraces: boolean): string =>
      renderToStaticMarkup(<Scores item={reviewDetail({ traceId })} maySeeTraces={maySeeTraces} />)
    expect(more(true)).toContain(`/admin/traces/${traceId}`)
    expect(more(false)).not.toContain('/admin/traces')
  })

  it('does not let words of an answer become markup', () => {
    const markup = desk({ question: '<img src=x onerror=alert(1)>', claims: [], text: '<script>alert(1)</script>' })
    expect(markup).not.toMatch(/<img|<script/)
  })
})

it('says what was taken out and added to who cannot see colours', () => {
  const markup = renderToStaticMarkup(
    <DiffText
      before="After 90 days.[^3]"
      after="After 30 days.[^2]"
      citations={new Map(reviewDetail().citations.map((one) => [one.ordinal, one]))}
    />,
  )
  expect(text(markup)).toContain('(taken out: 90 )')
  expect(text(markup)).toContain('(added: 30 )')
  expect(markup).not.toContain('[^')
})

describe('the queue', () => {
  const queue = (rows = [reviewRow()], total = rows.length, query: object = {}): string =>
    renderToStaticMarkup(
      <QueueScreen
        initial={{ rows, total, next: null, now }}
        filter={{ ...filter, ...query }}
        collections={[{ id: 'c', name: 'Security' }]}
        viewerId="me"
        unreachable={{ total: 2, groups: [{ collections: ['Finance'], items: 2, held: 1, oldest: now }] }}
        actions={{ decideMany: refuse }}
      />,
    )

  it('lists what waits with its reason, its holder and its time', () => {
    const claimed = { id: 'ben', name: 'Ben', until: '2026-03-02T10:05:00.000Z' }
    const words = text(
      queue([reviewRow({ claimedBy: claimed }), reviewRow({ id: 'other', dueAt: '2026-03-02T09:00:00Z' })]),
    )
    expect(words).toContain('2 open')
    expect(words).toContain('Sensitive topic')
    expect(words).toContain('Ben has it')
    expect(words).toContain('late by 1 h')
    expect(words).toContain('2 answers wait that no reviewer may open. Give one of them access to Finance')
  })

  it('keeps its filters in the address of each answer', () => {
    expect(queue([reviewRow()], 1, { reason: 'topic' })).toContain(`/review/${reviewRow().id}?reason=topic`)
  })

  it('tells an empty queue from a filter that nothing meets', () => {
    expect(text(queue([]))).toContain('Nothing waits for a decision')
    expect(text(queue([], 0, { reason: 'topic' }))).toContain('No answer is like that')
  })
})

describe('figures', () => {
  const metrics: ReviewMetrics = {
    backlog: { open: 7, held: 3, late: 1, oldestMs: 7_800_000 },
    days: [{ day: '2026-03-01', arrived: 4, decided: 2 }],
    decisions: { approved: 6, edited: 2, rejected: 1, expired: 0, withdrawn: 1 },
    timeToDecision: { p50Ms: 600_000, p90Ms: 5_400_000 },
    overturnRate: 1 / 3,
    agreement: { pairs: 5, agreed: 4 },
    seeds: { open: null, decided: 4, caught: 3 },
    reviewers: null,
  }
  const figures = (change: Partial<ReviewMetrics> = {}, seed = false): string =>
    text(
      renderToStaticMarkup(<FiguresScreen metrics={{ ...metrics, ...change }} days="30" seed={seed ? refuse : null} />),
    )

  it('says how much waits, how fast it is decided and what was overturned', () => {
    const words = figures()
    expect(words).toContain('3 held, 1 late, the oldest for 2 h 10 min')
    expect(words).toContain('9 of 10 within 1 h 30 min')
    expect(words).toContain('33 %')
    expect(words).toContain('4 of 5 alike (80 %)')
    expect(words).not.toContain('Only admins see this')
    expect(words).not.toContain('Put them in the queue')
  })

  it('shows each reviewer, and the known errors, to who may see them', () => {
    const reviewers = [{ id: 'ana', name: 'Ana', decisions: 6, overturned: 3, medianMs: 60_000, seeds: 4, caught: 3 }]
    const words = figures({ reviewers }, true)
    expect(words).toContain('Ana 6 50 % 1 min 3 of 4')
    expect(words).toContain('Put them in the queue')
  })

  it('says so where there is nothing to tell from', () => {
    const nothing = { approved: 0, edited: 0, rejected: 0, expired: 0, withdrawn: 0 }
    expect(figures({ timeToDecision: null, overturnRate: null, decisions: nothing, days: [] })).toContain(
      'Nothing was decided',
    )
  })
})

it('shows a quote with its surroundings, within its paragraph, and alone where the text has moved', () => {
  const document = `Other part.\n\nBefore it. The quote stands here. After it.\n\nNext part.`
  const charStart = document.indexOf('The quote')
  const quote = 'The quote stands here.'
  const at = { charStart, charEnd: charStart + quote.length, quote }
  expect(passageIn(document, at)).toEqual({ before: 'Before it. ', quote, after: ' After it.' })
  expect(passageIn(document, { ...at, charStart: 0 })).toEqual({ before: '', quote, after: '' })
})

it('finds who is being mentioned, and who was', () => {
  const people = [
    { id: '1', name: 'Ann' },
    { id: '2', name: 'Ann Lee' },
    { id: '3', name: 'Ben' },
  ]
  expect(mentionAt('Ask @an', 7)).toEqual({ from: 4, typed: 'an' })
  expect(mentionAt('mail ann@halden.example', 12)).toBe(null)
  expect(mentionedIn('@Ann Lee, please look', people).map(({ id }) => id)).toEqual(['2'])
  expect(mentionedIn('@Ann Lee and @ann', people).map(({ id }) => id)).toEqual(['2', '1'])
})

it('sends no mention without knowing who is meant, and asks for nobody where nobody is', async () => {
  const people = [{ id: '3', name: 'Ben' }]
  expect(await mentionsOf('@Ben, please look', async () => ({ value: people }))).toEqual({ value: ['3'] })
  expect(await mentionsOf('@Ben, please look', async () => ({ error: 'Not reached.' }))).toEqual({
    error: 'Not reached.',
  })
  const unasked = vi.fn()
  expect(await mentionsOf('Looks right.', unasked)).toEqual({ value: [] })
  expect(unasked).not.toHaveBeenCalled()
})
