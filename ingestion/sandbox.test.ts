import { createWriteStream } from 'node:fs'
import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { makeRawDocx } from './fixtures/docx.ts'
import { makeLongPdf, makePdf, paragraphLines } from './fixtures/pdf.ts'
import { type ParseOptions, parseFile } from './sandbox.ts'

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'footnote-cage-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const codeOf = async (name: string, bytes: Buffer | string, options?: ParseOptions): Promise<string> => {
  const path = join(folder, name)
  await writeFile(path, bytes)
  return parseFile({ path, name }, options).then(
    () => 'read',
    (error: { code?: string }) => error.code ?? String(error),
  )
}

describe('the cage around parsers', () => {
  it('reads a file and tells how far it is', async () => {
    const path = join(folder, 'good.pdf')
    await writeFile(path, await makePdf([1, 2, 3].map((page) => paragraphLines([`Page ${page}`], 600))))
    const told: string[] = []
    const { text, pages } = await parseFile(
      { path, name: 'good.pdf' },
      { onProgress: (done, total) => told.push(`${done}/${total}`) },
    )
    expect(text).toBe('Page 1\n\nPage 2\n\nPage 3')
    expect(pages).toHaveLength(3)
    expect(told).toEqual(['1/3', '2/3', '3/3'])
  })

  it('ends a parser that takes too long', async () =>
    expect(await codeOf('slow.pdf', makeLongPdf(4_900), { wallMs: 700 })).toBe('timeout'))

  it('ends a parser that takes too much memory', async () => {
    // A million empty paragraphs, which hold a Word reader for more than a minute and in gigabytes.
    const paragraphs = Array.from({ length: 1_000 }, (_, index) => `<w:p><w:r><w:t>${index}</w:t></w:r></w:p>`).join('')
    const heavy = makeRawDocx(paragraphs.repeat(150))
    expect(await codeOf('heavy.docx', heavy, { heapMb: 64, wallMs: 30_000 })).toBe('memory')
  })

  it('refuses a million empty paragraphs for what they unpack to, or ends them', async () =>
    expect(await codeOf('million.docx', makeRawDocx('<w:p/>'.repeat(1_000_000)), { wallMs: 5_000 })).toMatch(
      /^(unpacks-too-large|timeout|memory)$/,
    ))

  it('takes a parser that breaks for a damaged file', async () =>
    expect(await codeOf('deep.html', `${'<div>'.repeat(20_000)}deep`)).toBe('damaged'))

  it('does not read a file that no upload could be', async () => {
    const path = join(folder, 'line.txt')
    await writeFile(path, 'one line ')
    // A gigabyte in one line; sparse, since it must not be read anyway.
    await truncate(path, 2 ** 30)
    const before = process.memoryUsage.rss()
    await expect(parseFile({ path, name: 'line.txt' })).rejects.toMatchObject({ code: 'too-large' })
    expect(process.memoryUsage.rss() - before).toBeLessThan(100 * 1_048_576)
  })

  it('reads a single line of megabytes', async () => {
    const path = join(folder, 'long.txt')
    const out = createWriteStream(path)
    for (let part = 0; part < 40; part += 1) out.write('all in one line '.repeat(4_096))
    await new Promise<void>((resolve) => out.end(resolve))
    const { text } = await parseFile({ path, name: 'long.txt' })
    expect(text.length).toBe(40 * 4_096 * 16 - 1)
  })

  it('ends at once when nobody waits any more', async () => {
    const stop = new AbortController()
    const path = join(folder, 'aborted.pdf')
    await writeFile(path, makeLongPdf(4_900))
    const reading = parseFile({ path, name: 'aborted.pdf' }, { signal: stop.signal, onProgress: () => stop.abort() })
    await expect(reading).rejects.toMatchObject({ name: 'AbortError' })
  })

  it('opens no file but its own, writes none and starts no process', async () => {
    const { execFile } = await import('node:child_process')
    const { promisify } = await import('node:util')
    const own = join(folder, 'own.txt')
    const foreign = join(folder, 'foreign.txt')
    await writeFile(own, 'own')
    await writeFile(foreign, 'foreign')
    const { cageArguments } = await import('./sandbox.ts')
    const tries = `
      const { readFileSync } = process.getBuiltinModule('node:fs')
      const said = []
      for (const path of ${JSON.stringify([own, foreign, '/etc/passwd'])})
        try { readFileSync(path); said.push('read') } catch (error) { said.push(error.code) }
      try { process.getBuiltinModule('node:child_process').spawnSync('true'); said.push('spawned') } catch (error) { said.push(error.code) }
      try { process.getBuiltinModule('node:fs').writeFileSync(${JSON.stringify(own)}, 'x'); said.push('wrote') } catch (error) { said.push(error.code) }
      console.log(JSON.stringify(said))`
    const { stdout } = await promisify(execFile)(process.execPath, [
      ...(await cageArguments(own, 64)),
      '--input-type=module',
      '-e',
      tries,
    ])
    const denied = 'ERR_ACCESS_DENIED'
    expect(JSON.parse(stdout)).toEqual(['read', denied, denied, denied, denied])
  })
})
