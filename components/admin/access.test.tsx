import { renderToStaticMarkup } from 'react-dom/server'
import { describe, expect, it, vi } from 'vitest'
import type { AccessCollection, WhatCanRead, WhoCanRead } from '#lib/shared/access-contract.ts'
import { DeletionPlan } from './access-deletion.tsx'
import { AccessScreen } from './access-screen.tsx'

vi.mock('next/navigation', () => ({
  useRouter: () => ({ refresh: () => undefined, replace: () => undefined }),
  usePathname: () => '/admin/access',
  useSearchParams: () => new URLSearchParams(),
}))

const refuse = async () => ({ ok: false as const, error: { code: 'internal' as const, message: '', retryable: false } })
const actions = {
  createCollection: refuse,
  renameCollection: refuse,
  giveGrant: refuse,
  takeGrant: refuse,
  planCollectionDeletion: refuse,
  deleteCollection: refuse,
  findPeople: refuse,
}
const render = (shown: Parameters<typeof AccessScreen>[0]['shown']) =>
  renderToStaticMarkup(<AccessScreen workspaceId="w" groups={[]} shown={shown} actions={actions} />)

const since = '2026-05-04T14:02:00Z'
const files: AccessCollection = {
  id: 'c',
  name: 'Personnel files',
  documents: 3,
  switchedOff: null,
  grants: [
    { id: '1', subject: 'group', subjectId: 'g', name: 'HR', members: 4, level: 'manage', since, by: 'Ada' },
    { id: '2', subject: 'workspace', subjectId: 'w', name: 'Halden', members: null, level: 'read', since, by: null },
  ],
}

describe('collections with their grants', () => {
  it('say whom each is open to, how far, since when and by whom, and what can be done', () => {
    const markup = render({ tab: 'collections', collections: [files] })
    for (const words of [
      'Personnel files',
      '3 documents',
      'HR',
      'group of 4 people',
      'Ada',
      'Everybody in the workspace',
    ])
      expect(markup).toContain(words)
    expect(markup).toContain('aria-label="What HR may do in Personnel files"')
    expect(markup).toContain('aria-label="Take away from Everybody in the workspace"')
    expect(markup).toContain('href="/admin/access?collection=c"')
    expect(markup).toContain('aria-label="Delete the collection Personnel files"')
  })

  it('say that nobody reads what has no grant, and why one that is off is not read', () => {
    const markup = render({ tab: 'collections', collections: [{ ...files, grants: [], switchedOff: 'A leak.' }] })
    expect(markup).toContain('Nobody reads it. That holds for owners and admins too')
    expect(markup).toContain('A leak.')
    expect(render({ tab: 'collections', collections: [] })).toContain('No collection yet')
  })
})

describe('what goes with a collection', () => {
  const words = (plan: Parameters<typeof DeletionPlan>[0]['plan']) => renderToStaticMarkup(<DeletionPlan plan={plan} />)

  it('is counted before it goes: documents, and the answers that cite them', () => {
    expect(words(null)).toContain('Counting what goes with it')
    const many = words({ documents: 1204, answers: 1, refusal: null })
    expect(many).toContain('1,204 documents go with it')
    expect(many).toContain('1 answer cites them: it stays')
    expect(words({ documents: 1, answers: 0, refusal: null })).toContain('1 document goes with it')
    expect(words({ documents: 0, answers: 0, refusal: null })).toContain('It holds no document')
  })

  it('is not named where it may not go: the reason is', () => {
    const held = words({ documents: 3, answers: 2, refusal: 'It is on legal hold.' })
    expect(held).toContain('It is on legal hold.')
    expect(held).not.toContain('3 documents')
  })
})

describe('the explainer', () => {
  const who: WhoCanRead = {
    collection: { id: 'c', name: 'Personnel files' },
    document: { id: 'd', name: 'pay.pdf' },
    switchedOff: null,
    total: 250,
    people: [
      {
        id: 'p',
        name: 'Grace\u202egnp',
        email: 'grace@halden.example',
        role: 'admin',
        level: 'manage',
        ways: [
          { grantId: '1', subject: 'group', name: 'HR', level: 'manage', since },
          { grantId: '2', subject: 'workspace', name: '', level: 'read', since },
        ],
      },
    ],
  }

  it('goes from each person over role and grant to the collection and the document', () => {
    const markup = render({ tab: 'readers', who, asked: '' })
    expect(markup).toContain('The first 1 of 250 people')
    for (const words of ['as one of “HR”', 'as everybody in the workspace', 'Admin', 'pay.pdf', 'Personnel files'])
      expect(markup).toContain(words)
    // A name turns no direction.
    expect(markup).not.toContain('\u202e')
    expect(render({ tab: 'readers', who: { ...who, people: [], total: 0 }, asked: '' })).toContain('Nobody can read it')
  })

  it('says what a person reads, and that a suspended one reads nothing now', () => {
    const what: WhatCanRead = {
      person: { id: 'p', name: 'Grace', email: 'grace@halden.example', role: 'member' },
      stopped: 'suspended',
      collections: [
        {
          id: 'c',
          name: 'Personnel files',
          level: 'read',
          documents: 0,
          switchedOff: null,
          ways: who.people[0]?.ways ?? [],
        },
      ],
    }
    const markup = render({ tab: 'people', what })
    expect(markup).toContain('Suspended, so they read nothing now')
    expect(markup).toContain('Personnel files')
    expect(render({ tab: 'people', what: { ...what, collections: [] } })).toContain(
      'No grant opens a collection to them',
    )
  })
})
