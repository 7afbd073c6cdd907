/**
 * The summary of a text of any length: what is too long for one call is read in parts, spread over the whole of it, and the
 * summaries of the parts are summarised. Without a model the built-in way of the task does it.
 */
import { runTask } from '#lib/gateway/index.ts'

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

/** Calls that the summary of so many parts takes. */
export const callsFor = (parts: readonly string[]): number => parts.length + (parts.length > 1 ? 1 : 0)

export type MadeSummary = {
  summary: string
  /** Null: made without a model. */
  model: string | null
  /** Every call was answered from what was kept. */
  cached: boolean
}

/** Summarises `parts` of one text. `onStep` is awaited after each of the `callsFor(parts)` calls. Throws as `runTask`. */
export const summariseParts = async (
  title: string,
  parts: readonly string[],
  call: Parameters<typeof runTask>[2],
  onStep: () => Promise<void>,
): Promise<MadeSummary> => {
  const made: Awaited<ReturnType<typeof runTask<'summarise'>>>[] = []
  const add = async (text: string): Promise<string> => {
    // Between two calls a worker that stops may go: the rest is done by the next one, and what was made is kept.
    call.signal?.throwIfAborted()
    const result = await runTask('summarise', { title, text }, call)
    made.push(result)
    await onStep()
    return result.output.summary
  }
  const summaries: string[] = []
  for (const part of parts) summaries.push(await add(part))
  const joined = summaries.join('\n\n')
  const summary = summaries.length > 1 ? await add(joined.slice(0, partChars)) : joined
  return { summary, model: made.at(-1)?.model ?? null, cached: made.length > 0 && made.every(({ cached }) => cached) }
}
