import { renderToStaticMarkup } from 'react-dom/server'
import { describe, expect, it, vi } from 'vitest'
import { Sheet } from '#components/ui/sheet.tsx'
import type { DocumentRow } from '#lib/shared/admin-contract.ts'
import { DocumentDetail } from './document-detail.tsx'
import { CollectionsSheet } from './documents-collections.tsx'
import { DocumentsScreen } from './documents-screen.tsx'

vi.mock('next/navigation', () => ({
  useRouter: () => ({ refresh: () => undefined, replace: () => undefined, push: () => undefined }),
  usePathname: () => '/admin/documents',
  useSearchParams: () => new URLSearchParams(),
}))
const refuse = async () => ({ ok: false as const, error: { code: 'internal' as const, message: '', retryable: false } })
const actions = {
  retryDocument: refuse,
  deleteDocument: refuse,
  describeDocument: refuse,
  tagDocument: refuse,
  listHeldPassages: refuse,
  releasePassage: refuse,
  planCollectionDeletion: refuse,
  deleteCollection: refuse,
}
const row: DocumentRow = {
  ...{ id: 'd', name: 'Plan.pdf', collection: { id: 'own', name: 'Own shelf' }, mediaType: 'application/pdf' },
  ...{
    bytes: 1,
    stage: 'ready',
    progress: null,
    failure: null,
    fileHeld: null,
    earlierVersionServes: false,
    version: 1,
  },
  ...{ versionId: 'v', cause: 'upload', language: 'en', author: null, dated: null, tags: [], extractedTags: [] },
  ...{ source: null, parentId: null, pages: 1, chunks: 1, chunksReused: 0, citedBy: 0, description: null },
  ...{ describing: null, changedAt: '2026-05-04T14:02:00Z' },
}
const own = { id: 'own', name: 'Own shelf', mayDelete: true }
const added = { id: 'added', name: 'Shared shelf', mayDelete: false }

describe('the page of documents', () => {
  const screen = (administers: boolean, collections: (typeof own)[]) =>
    renderToStaticMarkup(
      <DocumentsScreen
        initial={{ documents: collections.length > 0 ? [row] : [], collections }}
        administers={administers}
        actions={actions}
      />,
    )

  it('offers who was given collections these to upload into, and no new one', () => {
    const markup = screen(false, [own, added])
    for (const words of ['Own shelf', 'Shared shelf', 'Plan.pdf', 'Choose files']) expect(markup).toContain(words)
    expect(markup).not.toContain('New collection')
    expect(screen(true, [own])).toContain('New collection')
  })

  it('offers nothing to upload into to who has none left, and an admin a new one', () => {
    const markup = screen(false, [])
    expect(markup).toContain('No collection is yours to change')
    expect(markup).not.toContain('Choose files')
    expect(screen(true, [])).toContain('Choose files')
  })
})

describe('what can be done', () => {
  it('with a collection is deleting it, for who manages it', () => {
    const markup = renderToStaticMarkup(
      <Sheet open>
        <CollectionsSheet collections={[own, added]} documents={[row]} onDelete={() => undefined} />
      </Sheet>,
    )
    expect(markup).toContain('aria-label="Delete the collection Own shelf"')
    expect(markup).not.toContain('aria-label="Delete the collection Shared shelf"')
    expect(markup).toContain('1 document · you may add, replace and delete')
    expect(markup).toContain('0 documents · you may add and replace')
  })

  it('with a document is what the viewer may: tags always, deleting and what administers only where it is given', () => {
    const nothing = () => undefined
    const shared = { row, parent: null, knownTags: [], onTags: nothing, onOpen: nothing, onRetry: nothing }
    const adds = renderToStaticMarkup(<DocumentDetail {...shared} showsPassages={false} />)
    expect(adds).toContain('Add a tag')
    expect(adds).toContain('Download the file')
    for (const words of ['Delete document', 'Passages</a>', 'Summarise']) expect(adds).not.toContain(words)
    const all = renderToStaticMarkup(
      <DocumentDetail {...shared} onDelete={nothing} onDescribe={nothing} showsPassages={true} />,
    )
    for (const words of ['Delete document', 'Passages</a>', 'Summarise']) expect(all).toContain(words)
    const held = renderToStaticMarkup(
      <DocumentDetail {...shared} row={{ ...row, fileHeld: 'It waits for the scanner.' }} showsPassages={false} />,
    )
    expect(held).toContain('It waits for the scanner.')
    expect(held).not.toContain('Download the file')
  })
})
