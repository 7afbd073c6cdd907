/** The encoder that a workspace's passages are searched with: the built-in one, or the one that an admin changed to. */
import { database, type Executor } from '#db/client.ts'
import { getServingIndex } from '#db/queries/embedding-indexes.ts'
import { embeddingModel } from './embedding.ts'

export type WorkspaceEncoder = {
  /** As `embed` takes it. */
  name: string
  /** Stored with every vector. */
  id: string
  /** Share of the vector leg in a mix, as calibrated for it. */
  vectorWeight: number
}

/** As the database has it now: a swap counts with the next search. */
export const workspaceEncoder = async (
  workspaceId: string,
  db: Executor = database().db,
): Promise<WorkspaceEncoder> => {
  const serving = await getServingIndex(db, workspaceId)
  const { name, id, vectorWeight } = embeddingModel(serving?.name)
  return { name, id: serving?.model ?? id, vectorWeight }
}
