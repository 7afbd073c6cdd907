import { listCollections } from '#db/reports/documents.ts'
import { readFor } from '#db/reports/reader.ts'
import { route } from '#lib/auth/index.ts'

/** The collections that the viewer may ask, with the number of documents in each. */
export const GET = route({ permission: 'document.read', limit: 'read' }, async ({ viewer }) => ({
  collections: await readFor(viewer, listCollections),
}))
