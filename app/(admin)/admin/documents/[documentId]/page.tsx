import type { Metadata } from 'next'
import { notFound } from 'next/navigation'
import { z } from 'zod'
import { PassageViewer } from '#components/admin/passage-viewer.tsx'
import { getPassageDocument, getPassageOrdinal } from '#db/reports/passages.ts'
import { readFor } from '#db/reports/reader.ts'
import { page } from '#lib/auth/index.ts'
import { passagePage } from '#lib/knowledge.ts'
import { releasePassage } from '../actions.ts'
import { findPassages, loadPassages, previewRun, startPreview } from './actions.ts'

export const metadata: Metadata = { title: 'Passages' }

const passageId = z
  .string()
  .regex(/^\d{1,15}$/)
  .transform(Number)

/** A document's published version, passage by passage; `?passage=ID` begins at one, the number after # at its number. */
export default async function PassagesPage({
  params,
  searchParams,
}: {
  params: Promise<{ documentId: string }>
  searchParams: Promise<Record<string, unknown>>
}) {
  const viewer = await page('document.manage')
  const documentId = z.uuid().safeParse((await params).documentId)
  if (!documentId.success) notFound()
  const asked = passageId.safeParse((await searchParams).passage)
  const { document, at } = await readFor(viewer, async (db, person) => ({
    document: await getPassageDocument(db, person, documentId.data),
    at: asked.success
      ? await getPassageOrdinal(db, person, { documentId: documentId.data, chunkId: asked.data })
      : undefined,
  }))
  if (!document) notFound()
  return (
    <PassageViewer
      key={document.versionId}
      document={document}
      initial={await passagePage(viewer, document.versionId, at ?? 0)}
      at={at ?? null}
      actions={{ loadPassages, findPassages, releasePassage, startPreview, previewRun }}
    />
  )
}
