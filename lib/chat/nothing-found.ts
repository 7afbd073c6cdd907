/** What is said when nothing that was found answers the question: no model is asked then. */
import { database } from '#db/client.ts'
import { countInScope } from '#db/reports/facets.ts'
import { formatCount } from '#lib/shared/format.ts'
import type { Turn } from './turn.ts'

const noSource = "I couldn't find an answer to this in the documents you can see."

/** A search that was narrowed says so, and how to get out of it: what was asked may well stand in what was left out. */
const narrowWords = async ({ viewer, collectionIds, filter }: Turn): Promise<string> => {
  const searched = await countInScope(database().db, viewer, { collectionIds, filter })
  if (searched === 0)
    return 'Nothing was searched: no document that you can see is within the bounds that were set for this question. Clear them and ask again.'
  const among = searched === 1 ? 'the one document' : `the ${formatCount(searched)} documents`
  return `I couldn't find an answer to this in ${among} that the search was narrowed to. Clear the bounds to search in everything you can see.`
}

/** The answer without a source, which says how to get out of the bounds that the asker had set. */
export const nothingFound = async (turn: Turn, narrowed: boolean): Promise<string> =>
  narrowed ? narrowWords(turn) : noSource
