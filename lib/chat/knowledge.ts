/** What an empty chat says: what this knows about, and questions that can really be answered from it. */
import { database } from '#db/client.ts'
import { demoQuestions } from '#db/demo/questions.ts'
import { listCollections, listDocumentHeadings } from '#db/reports/documents.ts'
import { listFacets } from '#db/reports/facets.ts'
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
 * Counts what the viewer can ask about and suggests questions: the demo's own while its documents are there, otherwise one for
 * each of the newest documents, made from a heading that it has.
 */
export const describeKnowledge = async (viewer: Viewer): Promise<Knowledge> => {
  const { db } = database()
  const [collections, headings] = await Promise.all([listCollections(db, viewer), listDocumentHeadings(db, viewer)])
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
