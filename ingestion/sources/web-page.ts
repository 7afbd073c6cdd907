/** One page or file of the web as an item: fetched only when it has changed, named by its address and its type. */
import { createHash } from 'node:crypto'
import { AnswerTooLarge } from '#lib/safe-fetch.ts'
import { uploadExtensions } from '#lib/shared/admin-contract.ts'
import { AppError } from '#lib/shared/errors.ts'
import { type SourceContext, SourceFailure, type SourceItem } from './connector.ts'
import { createPoliteFetch, HostHasEnough, type PoliteFetch } from './polite.ts'

const accept = 'text/html,application/xhtml+xml,application/pdf,text/*;q=0.9,*/*;q=0.5'

/** Extensions by the type that the server says; the first is given to names that have none of them. */
const extensionsOf: Readonly<Record<string, readonly string[]>> = {
  'text/html': ['html', 'htm'],
  'application/xhtml+xml': ['html', 'htm'],
  'application/pdf': ['pdf'],
  'text/markdown': ['md', 'markdown'],
  'text/csv': ['csv'],
  'text/tab-separated-values': ['tsv'],
  'application/rtf': ['rtf'],
  'application/vnd.oasis.opendocument.text': ['odt'],
  'application/json': ['json'],
  'application/xml': ['xml'],
  'text/xml': ['xml'],
  'application/epub+zip': ['epub'],
  'application/vnd.openxmlformats-officedocument.wordprocessingml.document': ['docx'],
  'application/vnd.openxmlformats-officedocument.presentationml.presentation': ['pptx'],
  'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet': ['xlsx'],
}
/** Types that servers give to everything they do not know: the name decides. */
const vagueTypes = new Set(['', 'text/plain', 'application/octet-stream', 'binary/octet-stream'])

const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/**
 * A file name for an address: the end of its path, with an extension that says how it is read. Undefined when such a type is read by
 * nobody.
 */
export const pageName = (address: string, contentType: string): string | undefined => {
  const { hostname, pathname, search } = new URL(address)
  const type = contentType.split(';')[0]?.trim().toLowerCase() ?? ''
  const last = decoded(pathname.split('/').filter(Boolean).at(-1) ?? hostname)
  const extension = /\.(\w{1,10})$/.exec(last)?.[1]?.toLowerCase() ?? ''
  const known: readonly string[] = uploadExtensions
  const wanted = vagueTypes.has(type)
    ? [known.includes(extension) && pathname !== '/' ? extension : type === 'text/plain' ? 'txt' : '']
    : (extensionsOf[type] ?? [])
  const first = wanted.find((one) => known.includes(one))
  if (!first) return undefined
  const asked = decoded(search).replace(/[^\p{L}\p{N}]+/gu, '-')
  const stem = wanted.includes(extension) ? last.slice(0, -extension.length - 1) : last
  return `${stem}${asked.length > 1 ? asked : ''}.${wanted.includes(extension) ? extension : first}`
}

const etagMark = 'etag:'
const dateMark = 'date:'

/** Asks the server for the page only if it is another one than the fingerprint names. */
const conditionOf = (fingerprint: string | undefined): Record<string, string> => {
  if (fingerprint?.startsWith(etagMark)) return { 'if-none-match': fingerprint.slice(etagMark.length) }
  if (fingerprint?.startsWith(dateMark)) return { 'if-modified-since': fingerprint.slice(dateMark.length) }
  return {}
}

const fingerprintOf = (headers: Headers, bytes: Uint8Array): string => {
  const etag = headers.get('etag')
  const date = headers.get('last-modified')
  if (etag && etag.length < 300) return etagMark + etag
  if (date && date.length < 100) return dateMark + date
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`
}

const once = async function* (bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}

/** An item that could not be had, for the reason that `thrown` says. */
const failing = (uri: string, thrown: unknown): SourceItem => ({
  uri,
  name: 'page.html',
  fingerprint: null,
  fetch: async () => {
    throw thrown
  },
})

/** A reader of pages for one run; gives undefined for a page that is no longer there. */
export const createPageReader = (
  context: SourceContext,
  politely: PoliteFetch = createPoliteFetch(context),
): ((address: string) => Promise<SourceItem | undefined>) => {
  const read = async (uri: string): Promise<SourceItem | undefined> => {
    const before = context.previous(uri)
    const answer = await politely(uri, { accept, ...conditionOf(before) })
    const { status, headers } = answer
    if (status === 304 && before)
      return { ...failing(uri, new SourceFailure('It did not change.')), fingerprint: before }
    if (answer.ok) {
      const name = pageName(uri, headers.get('content-type') ?? '')
      if (!name) {
        await answer.body?.cancel()
        throw new AppError('unsupported-type')
      }
      const bytes = new Uint8Array(await answer.arrayBuffer())
      return { uri, name, fingerprint: fingerprintOf(headers, bytes), fetch: async () => once(bytes) }
    }
    await answer.body?.cancel()
    if (status === 404 || status === 410) return undefined
    throw new SourceFailure(
      status === 401 || status === 403
        ? `The page is not open to everybody (${status}), and Footnote does not sign in.`
        : `The server answered ${status}.`,
    )
  }
  return async (uri) => {
    try {
      return await read(uri)
    } catch (thrown) {
      // What goes for the host ends the run; what goes for this page is its failure, and the others are read.
      if (thrown instanceof HostHasEnough || context.signal.aborted) throw thrown
      if (thrown instanceof AnswerTooLarge) return failing(uri, new SourceFailure('The page is over 10 MB.'))
      return failing(uri, thrown)
    }
  }
}
