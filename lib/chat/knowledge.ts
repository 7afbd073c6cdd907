/** What an empty chat says: what this knows about, and questions that can really be answered from it. */
import { database } from '#db/client.ts'
import { demoQuestions } from '#db/demo/questions.ts'
import { listCollections, listDocumentHeadings } from '#db/reports/documents.ts'
import { listFacets } from '#db/reports/facets.ts'
import { settingsOf } from '#lib/gateway/index.ts'
import type { ScopeFacets } from '#lib/shared/chat-contract.ts'
import type { Viewer } from '#lib/shared/viewer.ts'

export const listScopeFacets = (viewer: Viewer): Promise<ScopeFacets> => listFacets(database().db, viewer)

const suggestionsMax = 4

export type Knowledge = {
  documents: number
  collections: { id: string; name: string; documents: number }[]
  suggestions: string[]
}

/**
 * Counts what the viewer can ask about, as far as the workspace's policy lets a chat use it, and suggests questions: the demo's own
 * while its documents are there, otherwise one for each of the newest documents, made from a heading that it has.
 */
export const describeKnowledge = async (viewer: Viewer): Promise<Knowledge> => {
  const { db } = database()
  const { chat } = (await settingsOf(viewer.workspaceId)).settings.policy.features
  // An empty list of ids would mean all of them.
  if (chat?.length === 0) return { documents: 0, collections: [], suggestions: [] }
  const [all, headings] = await Promise.all([listCollections(db, viewer), listDocumentHeadings(db, viewer, chat ?? [])])
  const collections = all.filter(({ id }) => chat === null || chat.includes(id))
  const names = new Set(headings.map(({ name }) => name))
  const fromDemo = demoQuestions.filter(({ document }) => names.has(document)).map(({ question }) => question)
  const fromHeadings = headings.flatMap(({ title, heading }) =>
    heading ? [`What does ${title} say about ${heading}?`] : [],
  )
  return {
    documents: collections.reduce((sum, { documents }) => sum + documents, 0),
    collections,
    suggestions: [...fromDemo, ...fromHeadings].slice(0, suggestionsMax),
  }
}
