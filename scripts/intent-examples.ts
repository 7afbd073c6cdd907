/** The examples that come with the product: read, split and turned into vectors alike by training and by measuring. */
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { embed } from '#lib/gateway/index.ts'

const labelledSchema = z.object({ text: z.string(), intent: z.string() })
type Labelled = z.output<typeof labelledSchema>
export type Example = Labelled & { vector: Float32Array }

const shippedFile = join(import.meta.dirname, '../lib/gateway/local/intents.jsonl')

/** Lines of `{ text, intent }`. */
export const readExamples = async (file: string = shippedFile): Promise<Labelled[]> =>
  (await readFile(file, 'utf8'))
    .split('\n')
    .filter(Boolean)
    .map((line) => labelledSchema.parse(JSON.parse(line)))

/** A fifth is held out, by the hash of the text: an example stays in its part whatever is added. */
export const partOf = (text: string): 'training' | 'held-out' =>
  (createHash('sha256').update(text).digest()[0] ?? 0) % 5 === 0 ? 'held-out' : 'training'

/** The examples with the encoder's vectors and its id. */
export const embedded = async <Text extends { text: string }>(
  texts: readonly Text[],
): Promise<{ model: string; examples: (Text & { vector: Float32Array })[] }> => {
  const { model, vectors } = await embed(
    texts.map(({ text }) => text),
    { purpose: 'query' },
  )
  return { model, examples: texts.flatMap((example, at) => (vectors[at] ? [{ ...example, vector: vectors[at] }] : [])) }
}
