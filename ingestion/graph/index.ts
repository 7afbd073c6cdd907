/**
 * Things and their relations, drawn from documents that are already searched; no document waits for it.
 *
 * Guarantees: every mention and relation names the passage and, for mentions, the offsets that it rests on; drawing a version again
 * replaces what was drawn from it; a passage that is held as an order is read by no model; so many calls of models a version at
 * most, and without a model the patterns alone do it. What only one document said goes with it.
 */
import { database } from '#db/client.ts'
import {
  analyzeGraphWhenGrown,
  type DrawableVersion,
  getDrawableVersion,
  queueUndrawn,
  setGraphState,
  storeGraphPart,
  sweepEntities,
} from '#db/queries/graph.ts'
import { runTask, settingsOf } from '#lib/gateway/index.ts'
import { enqueue } from '#lib/jobs.ts'
import { log } from '#lib/log.ts'
import type { Viewer } from '#lib/shared/viewer.ts'
import { drawGraph } from './draw-graph.ts'
import type { DrawnGraph, GraphPassage } from './drawn-graph.ts'

/** Passages a transaction: the embedded database answers nobody else while one runs. */
const passagesAStep = 100
/** Versions queued at once. */
const queuedMax = 50
const callsMax = 24
const charsACall = 6_000

/** Passages joined into as few texts as a call may have; of a long document the texts are spread over it. Pure. */
export const textsForModel = (passages: readonly Pick<GraphPassage, 'text'>[]): string[] => {
  const texts: string[] = []
  let open = ''
  for (const { text } of passages) {
    if (open && open.length + text.length > charsACall) {
      texts.push(open)
      open = ''
    }
    open = open ? `${open}\n\n${text}` : text.slice(0, charsACall)
  }
  if (open) texts.push(open)
  if (texts.length <= callsMax) return texts
  return Array.from({ length: callsMax }, (_, at) => texts[Math.floor((at * texts.length) / callsMax)] ?? '')
}

/**
 * What models say that the passages are about. The task answers in words, not in relations: how the things stand to each other is
 * read from the text, where its words are found again. Stops at the first call that no model does.
 */
const askModel = async (version: DrawableVersion, signal: AbortSignal): Promise<string[]> => {
  const { workspaceId, collectionId, userId, title, passages } = version
  if (userId === null) return []
  const viewer: Viewer = { userId, workspaceId, role: 'admin', name: '', email: '' }
  const phrases = new Set<string>()
  for (const text of textsForModel(passages.filter(({ held }) => !held))) {
    signal.throwIfAborted()
    try {
      const call = { viewer, feature: 'document.graph', collectionIds: [collectionId], signal }
      const { output, model } = await runTask('extract', { title, text }, call)
      // The built-in way lists frequent words; the patterns know names better.
      if (model === null) break
      for (const tag of output.tags) phrases.add(tag)
    } catch (error) {
      signal.throwIfAborted()
      // Fails open: no budget or no model leaves what the patterns find.
      log.info({ err: error, event: 'graph.model' }, 'the graph is drawn without a model')
      break
    }
  }
  return [...phrases]
}

type Step = Pick<DrawnGraph, 'entities' | 'mentions' | 'relations'> & { chunkIds: number[] }

/** What was drawn, in steps of a few passages, each with the things that it needs. */
const stepsOf = (passages: readonly GraphPassage[], drawn: DrawnGraph): Step[] => {
  const mentionsOf = Map.groupBy(drawn.mentions, ({ chunkId }) => chunkId)
  const relationsOf = Map.groupBy(drawn.relations, ({ chunkId }) => chunkId)
  const steps: Step[] = []
  for (let from = 0; from < passages.length; from += passagesAStep) {
    const chunkIds = passages.slice(from, from + passagesAStep).map(({ chunkId }) => chunkId)
    const mentions = chunkIds.flatMap((chunkId) => mentionsOf.get(chunkId) ?? [])
    const relations = chunkIds.flatMap((chunkId) => relationsOf.get(chunkId) ?? [])
    const keys = new Set([
      ...mentions.map(({ key }) => key),
      ...relations.flatMap(({ fromKey, toKey }) => [fromKey, toKey]),
    ])
    steps.push({ chunkIds, mentions, relations, entities: drawn.entities.filter(({ key }) => keys.has(key)) })
  }
  return steps
}

/**
 * Draws the graph of a version, as its workspace wants it; nothing where it is switched off or the version is not searched any
 * more. Throws when the database does; the version then says `failed` until a later try is done.
 */
export const extractGraph = async (versionId: string, signal: AbortSignal): Promise<void> => {
  const { db } = database()
  const version = await getDrawableVersion(db, versionId)
  if (!version) return
  const { workspaceId, passages } = version
  const { extract } = (await settingsOf(workspaceId)).settings.graph
  // Switched off since it was queued; switched on again it is queued anew.
  if (extract === 'off') return setGraphState(db, versionId, null)
  try {
    const phrases = extract === 'model' ? await askModel(version, signal) : []
    for (const step of stepsOf(passages, drawGraph(passages, phrases))) {
      signal.throwIfAborted()
      const stored = await db.transaction((tx) => storeGraphPart(tx, { versionId, workspaceId, ...step }))
      if (!stored) return
    }
    await sweepEntities(db, workspaceId)
    await setGraphState(db, versionId, 'done')
    if (database().mode === 'embedded') await analyzeGraphWhenGrown(db)
  } catch (error) {
    if (!signal.aborted) await setGraphState(db, versionId, 'failed')
    throw error
  }
}

/** Queues searched documents that nothing was drawn from yet, where a workspace wants it; how many. The worker calls it now and then. */
export const queueGraphs = (): Promise<number> =>
  database().db.transaction(async (tx) => {
    const versionIds = await queueUndrawn(tx, queuedMax)
    for (const versionId of versionIds) await enqueue(tx, 'document.graph', { versionId })
    return versionIds.length
  })
