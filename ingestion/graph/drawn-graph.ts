/** What is drawn from the passages of one version, before it meets what the workspace knows. */
import type { EntityKind } from '#lib/shared/graph-contract.ts'

/** `start` is where the passage begins in the version's text. */
export type GraphPassage = { chunkId: number; text: string; start: number; language: string }

export type DrawnEntity = {
  /** Its folded name; what mentions and relations of the same drawing name it by. */
  key: string
  name: string
  kind: EntityKind
  /** Folded names that lead to it everywhere; a name that only this document uses for it is not among them. */
  aliases: string[]
}
/** Offsets count in the version's text. */
export type DrawnMention = { key: string; chunkId: number; start: number; end: number }
export type DrawnRelation = { fromKey: string; toKey: string; predicate: string; chunkId: number }
export type DrawnGraph = { entities: DrawnEntity[]; mentions: DrawnMention[]; relations: DrawnRelation[] }
