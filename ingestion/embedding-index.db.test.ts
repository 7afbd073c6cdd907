import './fixtures/scratch.ts'
import { cp, mkdir, rm, symlink, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { sql } from 'drizzle-orm'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { rows } from '#db/client.ts'
import { getServingIndex } from '#db/queries/embedding-indexes.ts'
import { listEncoderIndexes } from '#db/reports/encoders.ts'
import { createTestWorkspace, type TestWorkspace, withDatabase } from '#db/testing.ts'
import { uploadDocument } from '#lib/documents.ts'
import { chooseEncoder, knowledgeSetup, stopEncoder } from '#lib/encoders.ts'
import { closeGateway, saveGatewaySettings, workspaceEncoder } from '#lib/gateway/index.ts'
import { closeQueue, openQueue } from '#lib/jobs.ts'
import { retrieve } from '#lib/rag/index.ts'
import { gatewaySettingsSchema } from '#lib/shared/gateway-settings.ts'
import { buildIndex, fillIndex } from './embedding-index.ts'
import { ingestVersion } from './pipeline.ts'

// Settings are read once, when the first module asks for them.
const { models } = vi.hoisted(() => {
  const folder = `${process.env.TMPDIR ?? '/tmp'}/footnote-index-models-${process.pid}-${Date.now()}`
  Object.assign(process.env, { MODELS_DIR: folder })
  return { models: folder }
})

const test = withDatabase()
const never = new AbortController().signal

let workspace: TestWorkspace
beforeAll(async () => {
  await openQueue()
  const builtIn = resolve('models/all-MiniLM-L6-v2')
  await mkdir(models, { recursive: true })
  await symlink(builtIn, join(models, 'all-MiniLM-L6-v2'))
  // The same weights under another name are another encoder: its vectors are never compared with the first one's.
  await cp(builtIn, join(models, 'another'), { recursive: true })
  await mkdir(join(models, 'broken/onnx'), { recursive: true })
  await cp(join(builtIn, 'config.json'), join(models, 'broken/config.json'))
  await cp(join(builtIn, 'tokenizer.json'), join(models, 'broken/tokenizer.json'))
  await writeFile(join(models, 'broken/onnx/model_quantized.onnx'), 'no model at all')
})
afterAll(async () => {
  await closeQueue(0)
  await closeGateway()
  await rm(models, { recursive: true, force: true })
})
beforeEach(async () => {
  workspace = await createTestWorkspace(test.current())
})

const add = async (name: string, text: string): Promise<void> => {
  const source = (async function* () {
    yield Buffer.from(text)
  })()
  const { collectionId } = workspace
  const { document } = await uploadDocument(workspace.viewers.admin, { name, collectionId, source })
  await ingestVersion(document.versionId, never)
}
const vectorsBy = async (): Promise<Record<string, number>> => {
  const found = await rows<{ model: string; count: number }>(
    test.current().db,
    sql`select split_part(model, '@', 1) as model, count(*)::int as count from chunk_vectors
        where workspace_id = ${workspace.workspaceId} group by 1 order by 1`,
  )
  return Object.fromEntries(found.map(({ model, count }) => [model, count]))
}
const begin = async (name: string): Promise<{ indexId: string; userId: string }> => {
  const { admin } = workspace.viewers
  await chooseEncoder(admin, name)
  const building = (await listEncoderIndexes(test.current().db, admin)).find(({ state }) => state === 'building')
  return { indexId: building?.id ?? '', userId: admin.userId }
}
const ask = () => retrieve('How long is the guarantee?', workspace.viewers.member, { fresh: true })

describe('a change of the encoder', () => {
  it('leaves the old one serving until every passage has its new vector, then swaps', async () => {
    await add('guarantee.txt', 'The warranty runs for two years.')
    await add('leave.txt', 'Leave is thirty days a year.')
    const job = await begin('another')
    expect((await workspaceEncoder(workspace.workspaceId)).name).toBe('all-MiniLM-L6-v2')
    expect((await ask()).passages[0]?.vector).not.toBeNull()

    await buildIndex(job, never)
    expect(await workspaceEncoder(workspace.workspaceId)).toMatchObject({ name: 'another' })
    // The vectors of the one before are gone.
    expect(await vectorsBy()).toEqual({ another: 2 })
    const after = await ask()
    expect(after.passages[0]).toMatchObject({ text: 'The warranty runs for two years.' })
    expect(after.passages[0]?.vector).not.toBeNull()
    expect(await knowledgeSetup(workspace.viewers.admin)).toMatchObject({
      serving: { name: 'another' },
      building: null,
      documents: { ready: 2, outdated: 0 },
    })
    // What comes now is embedded by the new one.
    await add('later.txt', 'Parking is free on Sundays.')
    expect(await vectorsBy()).toEqual({ another: 3 })
  })

  it('one that cannot be loaded says why, and search goes on', async () => {
    await add('guarantee.txt', 'The warranty runs for two years.')
    await buildIndex(await begin('broken'), never)
    const setup = await knowledgeSetup(workspace.viewers.admin)
    expect(setup.failed?.failure).toBeTruthy()
    expect(setup.serving.name).toBe('all-MiniLM-L6-v2')
    expect((await ask()).passages[0]?.vector).not.toBeNull()
  })

  it('one that was stopped changes nothing', async () => {
    await add('guarantee.txt', 'The warranty runs for two years.')
    const job = await begin('another')
    await stopEncoder(workspace.viewers.admin)
    await buildIndex(job, never)
    expect(await getServingIndex(test.current().db, workspace.workspaceId)).toBeUndefined()
    expect(await vectorsBy()).toEqual({ 'all-MiniLM-L6-v2': 1 })
  })

  it('only what is there can be chosen, and not what serves already', async () => {
    await expect(chooseEncoder(workspace.viewers.admin, '../../etc')).rejects.toMatchObject({ code: 'bad-request' })
    await expect(chooseEncoder(workspace.viewers.admin, 'all-MiniLM-L6-v2')).rejects.toMatchObject({ code: 'conflict' })
  })

  it('builds the index again as the rules say, beside the one that is searched', async () => {
    const { db } = test.current()
    const { admin } = workspace.viewers
    await add('guarantee.txt', 'The warranty runs for two years.')
    const { settings, version } = await knowledgeSetup(admin)
    const tooFew = { vectorIndex: { m: 40, efConstruction: 64 } }
    expect(gatewaySettingsSchema.safeParse(tooFew).success).toBe(false)
    await saveGatewaySettings(admin, version, { ...settings, vectorIndex: { m: 8, efConstruction: 40 } })
    expect(await knowledgeSetup(admin)).toMatchObject({ built: { m: 16, efConstruction: 64 } })

    await buildIndex(await begin('all-MiniLM-L6-v2'), never)
    const options = await rows<{ options: string[] }>(
      db,
      sql`select reloptions as options from pg_class where relname like 'chunk_vectors_%' and relkind = 'i'
          and pg_get_indexdef(oid) like '%all-MiniLM-L6-v2%'`,
    )
    expect(options).toEqual([{ options: ['m=8', 'ef_construction=40'] }])
    expect(await knowledgeSetup(admin)).toMatchObject({ built: { m: 8, efConstruction: 40 }, building: null })
    expect((await ask()).passages[0]?.vector).not.toBeNull()
    await expect(chooseEncoder(admin, 'all-MiniLM-L6-v2')).rejects.toMatchObject({ code: 'conflict' })
  })

  it('passages that lack a vector get one later', async () => {
    await add('guarantee.txt', 'The warranty runs for two years.')
    await test.current().db.execute(sql`delete from chunk_vectors where workspace_id = ${workspace.workspaceId}`)
    await fillIndex(workspace.workspaceId, never)
    expect(await vectorsBy()).toEqual({ 'all-MiniLM-L6-v2': 1 })
  })
})
