import { createHash } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { deflateSync } from 'node:zlib'
import { expect, test } from 'vitest'
import type { SourceContext } from './connector.ts'
import { createGitConnector, git } from './git.ts'

type Tree = { [name: string]: Buffer | Tree | { link: string } }
type Kind = 'commit' | 'tree' | 'blob'
const packTypes: Record<Kind, number> = { commit: 1, tree: 2, blob: 3 }

/** A repository with one commit, written by hand as git's own documentation describes its objects and packs. */
const createRepository = (files: Tree) => {
  const objects = new Map<string, { kind: Kind; body: Buffer }>()
  const put = (kind: Kind, body: Buffer): string => {
    const oid = createHash('sha1').update(`${kind} ${body.length}\0`).update(body).digest('hex')
    objects.set(oid, { kind, body })
    return oid
  }
  const putTree = (tree: Tree): string => {
    const entries = Object.entries(tree).sort(([a], [b]) => (a < b ? -1 : 1))
    const lines = entries.map(([name, entry]) => {
      const [mode, oid] = Buffer.isBuffer(entry)
        ? ['100644', put('blob', entry)]
        : typeof entry.link === 'string'
          ? ['120000', put('blob', Buffer.from(entry.link))]
          : ['40000', putTree(entry as Tree)]
      return Buffer.concat([Buffer.from(`${mode} ${name}\0`), Buffer.from(oid, 'hex')])
    })
    return put('tree', Buffer.concat(lines))
  }
  const who = 'A <a@a.test> 1700000000 +0000'
  const head = put('commit', Buffer.from(`tree ${putTree(files)}\nauthor ${who}\ncommitter ${who}\n\nFirst\n`))

  const headerOf = (kind: Kind, size: number): Buffer => {
    const bytes = [(packTypes[kind] << 4) | (size & 15)]
    for (let rest = Math.floor(size / 16); rest > 0; rest = Math.floor(rest / 128)) {
      bytes.push((bytes.pop() ?? 0) | 128, rest & 127)
    }
    return Buffer.from(bytes)
  }
  const start = Buffer.from('PACK\0\0\0\x02\0\0\0\0', 'latin1')
  start.writeUInt32BE(objects.size, 8)
  const packed = [...objects.values()].flatMap(({ kind, body }) => [headerOf(kind, body.length), deflateSync(body)])
  const content = Buffer.concat([start, ...packed])
  const pack = Buffer.concat([content, createHash('sha1').update(content).digest()])
  return { head, pack }
}

const line = (text: string | Buffer): Buffer => {
  const bytes = Buffer.from(text)
  return Buffer.concat([Buffer.from((bytes.length + 4).toString(16).padStart(4, '0')), bytes])
}
const flush = Buffer.from('0000')

const textOf = async (request: IncomingMessage): Promise<string> => {
  let text = ''
  for await (const piece of request) text += piece
  return text
}

/** Git over HTTP, as much as a shallow fetch of one branch needs. */
const serve = async ({ head, pack }: { head: string; pack: Buffer }) => {
  const asked: string[] = []
  const server = createServer(async (request, response) => {
    const said = await textOf(request)
    asked.push(`${request.method} ${request.url} ${said}`)
    if (!request.url?.startsWith('/owner/name')) return void response.writeHead(404).end()
    if (request.method === 'GET') {
      const able = 'shallow side-band-64k ofs-delta symref=HEAD:refs/heads/main'
      const refs = [
        line('# service=git-upload-pack\n'),
        flush,
        line(`${head} HEAD\0${able}\n`),
        line(`${head} refs/heads/main\n`),
        flush,
      ]
      return void response
        .writeHead(200, { 'content-type': 'application/x-git-upload-pack-advertisement' })
        .end(Buffer.concat(refs))
    }
    const bands: Buffer[] = []
    for (let at = 0; at < pack.length; at += 60_000)
      bands.push(line(Buffer.concat([Buffer.from([1]), pack.subarray(at, at + 60_000)])))
    response
      .writeHead(200, { 'content-type': 'application/x-git-upload-pack-result' })
      .end(Buffer.concat([line(`shallow ${head}\n`), flush, line('NAK\n'), ...bands, flush]))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const close = () => new Promise((resolve) => server.close(resolve))
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked, close }
}

const contextOf = (previous: Record<string, string> = {}): SourceContext => ({
  signal: new AbortController().signal,
  fetch,
  previous: (uri) => previous[uri],
  expect: () => undefined,
  note: () => undefined,
  pause: async () => undefined,
})
const scratchFolders = async () => (await readdir(tmpdir())).filter((name) => name.startsWith('footnote-git-')).length
const config = { branch: '', include: [], exclude: [], local: true }

test('the readable files of the newest commit are listed with their blob ids, and each is had byte by byte', async () => {
  const large = Buffer.from('A long line of a large file.\n'.repeat(20_000))
  const site = await serve(
    createRepository({
      'readme.md': Buffer.from('# Read me\n'),
      'picture.bin': Buffer.from([1, 2, 3]),
      'link.md': { link: '/etc/passwd' },
      '.github': { 'hidden.md': Buffer.from('hidden') },
      docs: { 'a.md': Buffer.from('a'), 'big.txt': large, drafts: { 'b.md': Buffer.from('b') } },
      'model.txt': Buffer.from('version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 9\n'),
    }),
  )
  const before = await scratchFolders()
  const read: Record<string, string> = {}
  const list = git.list({ ...config, url: `${site.url}/owner/name/`, exclude: ['docs/drafts'] }, contextOf())
  for await (const { uri, fingerprint, fetch: get } of list) {
    expect(fingerprint).toMatch(/^[\da-f]{40}$/)
    const bytes: Uint8Array[] = []
    try {
      for await (const piece of await get()) bytes.push(piece)
      read[uri] = Buffer.concat(bytes).toString()
    } catch (error) {
      read[uri] = String(error)
    }
  }
  expect(read).toEqual({
    'docs/a.md': 'a',
    'docs/big.txt': large.toString(),
    'model.txt': expect.stringContaining('Git LFS'),
    'readme.md': '# Read me\n',
  })
  expect(site.asked.at(-1)).toContain('deepen 1')
  expect(await scratchFolders()).toBe(before)
  await site.close()
})

test('a repository or branch that is not there, and one that breaks off, are said in words', async () => {
  const repository = createRepository({ 'a.md': Buffer.from('a') })
  const site = await serve(repository)
  const first = (url: string, more = {}) =>
    git
      .list({ ...config, url, ...more }, contextOf())
      [Symbol.asyncIterator]()
      .next()
  await expect(first(`${site.url}/elsewhere`)).rejects.toThrow('no repository at that address')
  await expect(first(`${site.url}/owner/name`, { branch: 'nope' })).rejects.toThrow('no such branch')
  await site.close()
  const cut = await serve({ ...repository, pack: repository.pack.subarray(0, 40) })
  await expect(first(`${cut.url}/owner/name`)).rejects.toThrow('incomplete')
  await cut.close()
  await expect(first(`${cut.url}/owner/name`)).rejects.toThrow()
})

test('a pack that unpacks to more than the child may hold ends its child and nothing else', async () => {
  const site = await serve(createRepository({ 'a.md': Buffer.alloc(200 * 1_048_576) }))
  const list = createGitConnector(200).list({ ...config, url: `${site.url}/owner/name` }, contextOf())
  await expect(list[Symbol.asyncIterator]().next()).rejects.toThrow('too much memory')
  await site.close()
}, 60_000)

test('a run that is stopped leaves no child and no files', async () => {
  const site = await serve(createRepository({ 'a.md': Buffer.from('a') }))
  const before = await scratchFolders()
  const stopping = new AbortController()
  const list = git.list({ ...config, url: `${site.url}/owner/name` }, { ...contextOf(), signal: stopping.signal })
  const items = list[Symbol.asyncIterator]()
  const item = await items.next()
  stopping.abort(new Error('stopped'))
  await expect(
    item.value?.fetch().then(async (body: AsyncIterable<Uint8Array>) => {
      for await (const _ of body) break
    }),
  ).rejects.toThrow()
  await items.return?.()
  expect(await scratchFolders()).toBe(before)
  await site.close()
})
