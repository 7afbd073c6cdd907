/**
 * The ranking of a question, kept for a minute in this process: who asks the same again, or has a model's answer written anew, is not
 * searched for twice.
 *
 * Guarantees: what is kept are numbers of chunks and their scores, never text. Whoever uses them reads the chunks again, by a statement
 * that decides access and quarantine anew, so that a kept ranking can show nobody what a fresh one would not. A document that was
 * published, moved or deleted, a passage that was released and a rule that was changed count at once, in every process: the key
 * names everything that is searched, as the database has it now. A ranking that was made with less than both legs is not kept.
 */
import { database } from '#db/client.ts'
import { indexFingerprint } from '#db/queries/index-fingerprint.ts'
import { countRetrieval } from '#lib/metrics.ts'
import { createMemo, type Memo } from '#lib/shared/memo.ts'
import type { Reader } from '#lib/shared/viewer.ts'

const keptMs = 60_000
/** A ranking of sixteen chunks takes about 3 KB. */
const entriesMax = 2_000

type Held = { footnoteRankings?: Memo<unknown> }
// Next.js bundles its own copy of this module: the rankings are one a process all the same.
const held = globalThis as typeof globalThis & Held
const memo = (): Memo<unknown> => {
  held.footnoteRankings ??= createMemo({ entriesMax, ttlMs: keptMs })
  return held.footnoteRankings
}

export type RankingAsked = {
  viewer: Reader
  question: string
  collectionIds: readonly string[]
  /** Everything else that the ranking depends on: the encoder, the filter, how many, the settings of the search. */
  by: readonly (string | number)[]
}

/**
 * The ranking that was made for the same question over the same index, or what `make` gives, which is then kept. `kept` says which,
 * and `index` names what was searched.
 * Throws what `make` throws, and when the database does.
 */
export const keptRanking = async <Ranking extends { degraded: string | null }>(
  { viewer, question, collectionIds, by }: RankingAsked,
  make: () => Promise<Ranking>,
): Promise<{ ranking: Ranking; kept: boolean; index: string }> => {
  const index = await indexFingerprint(database().db, viewer, collectionIds)
  // Only what certainly changes no search is taken away: an encoder may tell capitals apart.
  const plain = question.normalize('NFC').replace(/\s+/g, ' ').trim()
  const places = [...new Set(collectionIds)].sort()
  const key = JSON.stringify([viewer.workspaceId, index, places, by, plain])
  let made = false
  try {
    const ranking = (await memo().get(key, () => {
      made = true
      return make()
    })) as Ranking
    if (ranking.degraded !== null) memo().purge(key)
    countRetrieval(!made)
    return { ranking, kept: !made, index }
  } catch (error) {
    if (made) throw error
    // It was another's search that failed or was given up: this one is made by itself.
    return { ranking: await make(), kept: false, index }
  }
}
