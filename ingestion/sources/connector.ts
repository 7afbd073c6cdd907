/**
 * What a connector is: a way to list what some place holds. Whatever is listed becomes a document; what changes there becomes a new
 * version; what is no longer listed is deleted. All of that is `run.ts`; a connector only lists.
 *
 * One for a wiki, whole, in `ingestion/sources/wiki.ts`:
 *
 *     export const wiki: Connector<'wiki'> = {
 *       ...sourceKinds.wiki,
 *       kind: 'wiki',
 *       list: async function* ({ url }, { fetch, signal }) {
 *         const answer = await fetch(new URL('/api/pages', url), { signal })
 *         if (!answer.ok) throw new SourceFailure(`The wiki answered ${answer.status}.`)
 *         for (const { id, title, revision } of (await answer.json()) as WikiPage[])
 *           yield {
 *             uri: new URL(`/pages/${id}`, url).href,
 *             name: `${title}.md`,
 *             fingerprint: String(revision),
 *             fetch: async () => readBody(await fetch(new URL(`/pages/${id}.md`, url), { signal })),
 *           }
 *       },
 *     }
 *
 * Its title and the schema of its settings stand in `lib/shared/sources-contract.ts`, where the form of the Sources page comes
 * from, and `registry.ts` names it. Nothing else has to change.
 */
import { setTimeout as wait } from 'node:timers/promises'
import type { SourceConfig, SourceKind, sourceKinds } from '#lib/shared/sources-contract.ts'

export type SourceItem = {
  /** Its address, by which it is known again: the same for the same thing in every run. Shown, and a link when it is one. */
  uri: string
  /** A file name; its extension says how it is read. Two items may have the same. */
  name: string
  /** Changes with the content: a hash, an ETag, a commit's blob id. Null: always fetched, and compared by its bytes. */
  fingerprint: string | null
  /** Called only when the fingerprint is not the one of the last run. What it throws is the failure of this item alone. */
  fetch(): Promise<AsyncIterable<Uint8Array>>
}

export type SourceContext = {
  signal: AbortSignal
  /** Reaches public addresses only, or the own network too where the source says so; bounded in time and size. */
  fetch: typeof fetch
  /** The fingerprint that the item had when it was last taken in; undefined when it has to be fetched. */
  previous(uri: string): string | undefined
  /** How many items there will be, as soon as that is known. */
  expect(total: number): void
  /** Something an admin should read about a run that went well: that a limit cut it short, for one. */
  note(words: string): void
  /** Waits, and throws when the run is stopped. */
  pause(ms: number): Promise<void>
}

export type Connector<Kind extends SourceKind> = {
  kind: Kind
  title: string
  configSchema: (typeof sourceKinds)[Kind]['configSchema']
  /** Bounds of one answer of the network. Without them: 10 MB and 15 seconds. */
  bounds?: { bytesMax: number; totalMs: number }
  /** Everything there is, one after the other. A list that ends has to be complete: when it cannot be, it throws. */
  list(config: SourceConfig<Kind>, context: SourceContext): AsyncIterable<SourceItem>
}

/** Thrown by a connector with words for an admin. By `list` it ends the run, and nothing is deleted; by an item it is that item's. */
export class SourceFailure extends Error {
  override name = 'SourceFailure'
}

/** The body of an answer as an item's bytes. Throws `SourceFailure` when the answer is none of success. */
export const readBody = (response: Response): AsyncIterable<Uint8Array> => {
  if (!response.ok || !response.body) throw new SourceFailure(`The server answered ${response.status}.`)
  return response.body
}

/** A pause that ends early, with the signal's reason, when the run is stopped. */
export const pauseWith =
  (signal: AbortSignal) =>
  async (ms: number): Promise<void> => {
    if (ms > 0) await wait(ms, undefined, { signal })
    signal.throwIfAborted()
  }
