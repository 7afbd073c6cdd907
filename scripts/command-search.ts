/** `search`: retrieval alone on the terminal. */
import { pageInWords } from '#lib/shared/page-unit.ts'
import { truncate } from '#lib/shared/text.ts'
import type { Connection, SearchLegs } from './connect.ts'

export type SearchOptions = { legs: SearchLegs; k: number; json?: boolean }

export const search = async (
  connection: Connection,
  query: string,
  { legs, k, json }: SearchOptions,
): Promise<number> => {
  const startedMs = performance.now()
  const passages = await connection.search(query, { legs, k })
  const ms = Math.round(performance.now() - startedMs)
  if (json) {
    const results = passages.map(({ documentId, chunkId, title, page, score, text }) => ({
      documentId,
      chunkId,
      title,
      page,
      score,
      text,
    }))
    process.stdout.write(`${JSON.stringify({ results, ms })}\n`)
    return 0
  }
  for (const { title, mediaType, page, score, text } of passages) {
    const place = [title, pageInWords({ mediaType, page })].filter(Boolean).join(', ')
    process.stdout.write(`${score.toFixed(3)}  ${place}\n       ${truncate(text.replace(/\s+/g, ' '), 160)}\n`)
  }
  process.stderr.write(
    passages.length > 0 ? `${passages.length} passages in ${ms} ms\n` : 'Nothing relevant was found.\n',
  )
  return 0
}
