/**
 * How a workspace's documents are read and searched, as an admin sets it: the encoder, the way of cutting, the stages of a search.
 *
 * Guarantees: a change of the encoder or of the cutting is work in the background; what serves goes on serving until the new is
 * whole, and is what is searched again when the new one fails; every change is audited with the job that carries it out.
 */
import { isDeepStrictEqual } from 'node:util'
import { database } from '#db/client.ts'
import { insertReindexVersions, listOutdatedDocuments } from '#db/queries/documents.ts'
import { beginIndex, failIndex, getBuildingIndex, getVectorGraph } from '#db/queries/embedding-indexes.ts'
import { getGatewaySettings } from '#db/queries/gateway-settings.ts'
import { countDocumentStates, listEncoderIndexes, listLanguages } from '#db/reports/encoders.ts'
import { audit } from './audit.ts'
import { embeddingModel, listEncoders, modelSetup, settingsOf, workspaceEncoder } from './gateway/index.ts'
import { enqueue } from './jobs.ts'
import { chunkerId } from './shared/chunker.ts'
import { type EncoderChoice, type KnowledgeSetup, recommendedEncoder } from './shared/encoders-contract.ts'
import { AppError } from './shared/errors.ts'
import { newId } from './shared/ids.ts'
import type { Viewer } from './shared/viewer.ts'

/** Every encoder that can be chosen: the built-in one first, then what is on this machine, what a hub has. */
const listChoices = async (): Promise<EncoderChoice[]> => {
  const local = await listEncoders()
  const builtIn = embeddingModel().name
  const here = local.map((name): EncoderChoice => {
    return {
      name,
      title: name,
      kind: name === builtIn ? 'built-in' : 'local',
      languages: embeddingModel(name).languages,
    }
  })
  const fetched: EncoderChoice[] = local.includes(recommendedEncoder)
    ? []
    : [
        {
          name: recommendedEncoder,
          title: recommendedEncoder,
          kind: 'hub',
          languages: embeddingModel(recommendedEncoder).languages,
        },
      ]
  return [...here, ...fetched]
}

/** Providers that may be asked for vectors: a model of theirs is named by the provider's id, a slash and its name there. */
const listEmbeddingProviders = async (viewer: Viewer): Promise<{ id: string; title: string }[]> => {
  const { providers, environment } = await modelSetup(viewer)
  const ofEnvironment = new Set(environment.map(({ key }) => key.split('/')[0] ?? ''))
  return [
    ...providers.filter(({ kind }) => kind !== 'anthropic').map(({ id, name }) => ({ id, title: name })),
    ...[...ofEnvironment]
      .filter((id) => id && id !== 'env-anthropic')
      .map((id) => ({ id, title: `${id.slice(4)} (environment)` })),
  ]
}

const languagesWithout = (known: readonly string[] | null, present: readonly { language: string }[]): string[] =>
  known === null ? [] : present.map(({ language }) => language).filter((language) => !known.includes(language))

/** Everything that the Knowledge page shows. */
export const knowledgeSetup = async (viewer: Viewer): Promise<KnowledgeSetup> => {
  const { db } = database()
  const { settings, version } = await settingsOf(viewer.workspaceId)
  const { id: model } = await workspaceEncoder(viewer.workspaceId)
  const [built, choices, providers, indexes, languages, documents] = await Promise.all([
    getVectorGraph(db, model),
    listChoices(),
    listEmbeddingProviders(viewer),
    listEncoderIndexes(db, viewer),
    listLanguages(db, viewer),
    countDocumentStates(db, viewer, chunkerId(settings.chunking)),
  ])
  const servingName = indexes.find(({ state }) => state === 'serving')?.name ?? embeddingModel().name
  const provider = providers.find(({ id }) => servingName.startsWith(`${id}/`))
  const serving = choices.find(({ name }) => name === servingName) ?? {
    name: servingName,
    title: provider ? `${servingName.slice(provider.id.length + 1)} at ${provider.title}` : servingName,
    kind: provider ? ('provider' as const) : ('local' as const),
    languages: embeddingModel(servingName).languages,
  }
  const [newest] = indexes
  const { chunking, retrieval, vectorIndex, graph, recognition } = settings
  return {
    settings: { chunking, retrieval, vectorIndex, graph, recognition },
    version,
    serving,
    built,
    building: indexes.find(({ state }) => state === 'building') ?? null,
    failed: newest?.state === 'failed' ? newest : null,
    choices,
    providers,
    languages,
    unknownLanguages: languagesWithout(serving.languages, languages),
    documents,
  }
}

/**
 * Begins the change to another encoder, or with the one that serves the building of its index as the settings say now. Throws
 * `bad-request` when it is not to be had, `conflict` when it serves already with an index as they say.
 */
export const chooseEncoder = async (viewer: Viewer, name: string): Promise<void> => {
  const [choices, providers] = await Promise.all([listChoices(), listEmbeddingProviders(viewer)])
  const offered = providers.some(({ id }) => name.startsWith(`${id}/`) && name.length > id.length + 1)
  if (!offered && !choices.some((choice) => choice.name === name))
    throw new AppError('bad-request', { message: `There is no encoder called ${name}. Choose one of the list.` })
  const indexId = newId()
  await database().db.transaction(async (tx) => {
    const { name: serving, id: model } = await workspaceEncoder(viewer.workspaceId, tx)
    const { settings } = await getGatewaySettings(tx, viewer.workspaceId)
    if (serving === name && isDeepStrictEqual(await getVectorGraph(tx, model), settings.vectorIndex))
      throw new AppError('conflict', { message: `${name} is what searches already.` })
    await beginIndex(tx, { id: indexId, workspaceId: viewer.workspaceId, name })
    await audit(tx, { actor: viewer, event: 'encoder.chosen', objectId: indexId, details: { name, before: serving } })
    await enqueue(tx, 'index.build', { indexId, userId: viewer.userId })
  })
}

/** Gives up the change that is under way; the encoder that serves goes on. Throws `not-found` when there is none. */
export const stopEncoder = async (viewer: Viewer): Promise<void> => {
  await database().db.transaction(async (tx) => {
    const building = await getBuildingIndex(tx, viewer.workspaceId)
    if (!building) throw new AppError('not-found')
    await failIndex(tx, building.id, 'An admin stopped it.')
    await audit(tx, {
      actor: viewer,
      event: 'encoder.stopped',
      objectId: building.id,
      details: { name: building.name },
    })
  })
}

/** Documents a transaction: each becomes a version and a job. */
const reindexAtOnce = 200

/** Has every document that is cut in another way than the settings say cut anew; returns how many. */
export const reindexOutdated = async (viewer: Viewer): Promise<number> => {
  const { db } = database()
  const { settings } = await settingsOf(viewer.workspaceId)
  const outdated = await listOutdatedDocuments(db, viewer, chunkerId(settings.chunking))
  for (let from = 0; from < outdated.length; from += reindexAtOnce)
    await db.transaction(async (tx) => {
      const documentIds = outdated.slice(from, from + reindexAtOnce)
      const versions = await insertReindexVersions(tx, viewer, { documentIds, cause: 'reindex', newId })
      for (const versionId of versions) await enqueue(tx, 'document.ingest', { versionId })
      await audit(tx, {
        actor: viewer,
        event: 'documents.reindexed',
        objectId: viewer.workspaceId,
        details: { documents: versions.length },
      })
    })
  return outdated.length
}
