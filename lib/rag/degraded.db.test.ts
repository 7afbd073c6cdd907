import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { createScratchDocument } from '#db/queries/evaluation.ts'
import { claimVersion, insertChunks, publishVersion } from '#db/queries/ingest.ts'
import { createTestWorkspace, withDatabase } from '#db/testing.ts'
import { closeGateway, EncoderUnavailable, embed, encoderHealth, warmGateway } from '#lib/gateway/index.ts'
import { newId } from '#lib/shared/ids.ts'
import { retrieve } from './index.ts'

// Settings are read once, when the first module asks for them.
const modelsDir = vi.hoisted(() => {
  const folder = `${process.env.TMPDIR ?? '/tmp'}/footnote-damaged-${process.pid}-${Date.now()}`
  process.env.MODELS_DIR = folder
  return folder
})

const test = withDatabase()

beforeAll(async () => {
  const name = 'all-MiniLM-L6-v2'
  await mkdir(modelsDir, { recursive: true })
  await cp(join('models', name), join(modelsDir, name), { recursive: true })
  const weights = join(modelsDir, name, 'onnx/model_quantized.onnx')
  const bytes = await readFile(weights)
  bytes.writeUInt8(bytes.readUInt8(bytes.length >> 1) ^ 1, bytes.length >> 1)
  await writeFile(weights, bytes)
})
afterAll(async () => {
  await closeGateway()
  await rm(modelsDir, { recursive: true, force: true })
})

describe('with a damaged encoder', () => {
  it('every call is refused with the reason, and health says so', async () => {
    await warmGateway()
    await expect(embed(['text'], { purpose: 'passage' })).rejects.toThrow(EncoderUnavailable)
    await expect(embed(['text'], { purpose: 'passage' })).rejects.toThrow(/damaged/)
    expect(await encoderHealth()).toMatchObject({ ok: false, detail: expect.stringContaining('damaged') })
  })

  it('questions are answered from words alone, with a word about it', async () => {
    const { db } = test.current()
    const { viewers, collectionId } = await createTestWorkspace(test.current())
    const text = 'The drive belt HP-4010 is replaced every two years.'
    const claim = await claimVersion(
      db,
      await createScratchDocument(db, viewers.admin, { collectionId, name: 'manual.txt' }),
    )
    if (!claim) throw new Error('no claim')
    const chunk = { ordinal: 0, text, charStart: 0, charEnd: text.length, headingPath: [], context: '' }
    await insertChunks(db, claim, 'none', [
      { ...chunk, pageFrom: null, pageTo: null, tokens: 14, contentHash: newId(), vector: null },
    ])
    await publishVersion(db, claim, { chunks: 1, reused: 0 })

    const evidence = await retrieve('How often is drive belt HP-4010 replaced?', viewers.member)
    expect(evidence).toMatchObject({ found: true, degraded: expect.stringContaining('not available') })
    expect(evidence.passages).toMatchObject([{ text, vector: null, lexical: { rank: 1 } }])

    const nothing = await retrieve('Who founded the choir?', viewers.member)
    expect(nothing).toMatchObject({ found: false, passages: [], degraded: expect.stringContaining('not available') })
  })
})
