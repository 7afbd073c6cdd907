/**
 * A summary and tags of a document, as a job with progress. A long text is read in parts, spread over the whole of it, and the
 * summaries of the parts are summarised; short parts go into one call. Without a model the built-in way of the tasks does it.
 */
import { database } from '#db/client.ts'
import { endDescription, getDescribable, setDescriptionProgress } from '#db/queries/descriptions.ts'
import { runTask } from '#lib/gateway/index.ts'
import type { Viewer } from '#lib/shared/viewer.ts'

/** What one call reads; about 4,500 tokens. */
const partChars = 16_000
/** Parts at most: of a longer text, evenly spaced ones are read. */
const partsMax = 10

/** Stretches of `text` of at most `partChars`, cut at paragraphs where there are any. Pure. */
export const describableParts = (text: string): string[] => {
  const parts: string[] = []
  for (let from = 0; from < text.length; ) {
    const hardEnd = Math.min(text.length, from + partChars)
    const softEnd = hardEnd < text.length ? text.lastIndexOf('\n\n', hardEnd) : hardEnd
    const end = softEnd > from + partChars / 2 ? softEnd : hardEnd
    const part = text.slice(from, end).trim()
    if (part) parts.push(part)
    from = end
  }
  if (parts.length <= partsMax) return parts
  return Array.from(
    { length: partsMax },
    (_, at) => parts[Math.round((at * (parts.length - 1)) / (partsMax - 1))] ?? '',
  )
}

export type DescribeJob = { versionId: string; workspaceId: string; userId: string }

/** Describes a version; a version that is gone by now is no error. */
export const describeVersion = async (
  { versionId, workspaceId, userId }: DescribeJob,
  signal: AbortSignal,
): Promise<void> => {
  const { db } = database()
  const found = await getDescribable(db, workspaceId, versionId)
  if (!found) return
  const { title, text } = found
  // On behalf of who asked: their budget pays and their workspace's rules hold.
  const viewer: Viewer = { userId, workspaceId, role: 'admin', name: '', email: '' }
  const call = { viewer, feature: 'document.description', signal }
  const parts = describableParts(text)
  const total = parts.length + (parts.length > 1 ? 1 : 0) + 1
  let done = 0
  const step = async <T>(work: Promise<T>): Promise<T> => {
    const result = await work
    done += 1
    await setDescriptionProgress(db, versionId, { done, total })
    return result
  }
  const summaries: string[] = []
  for (const part of parts)
    summaries.push((await step(runTask('summarise', { title, text: part }, call))).output.summary)
  const joined = summaries.join('\n\n')
  const summary =
    summaries.length > 1
      ? (await step(runTask('summarise', { title, text: joined.slice(0, partChars) }, call))).output.summary
      : joined
  const { tags } = (
    await step(runTask('extract', { title, text: `${summary}\n\n${parts[0] ?? ''}`.slice(0, 8_000) }, call))
  ).output
  await endDescription(db, versionId, { summary, tags })
}
