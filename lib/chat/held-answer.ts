/**
 * An answer that may turn out to be withheld is written where nobody reads: nothing of it reaches a reader, the stored stream or
 * another replica before it is released as a whole. What is stopped or broken off in the meantime was never judged and is not shown.
 */
import type { Citation } from '#lib/shared/chat-contract.ts'
import type { GenerationWriter } from './generation.ts'

type Written = { text: string } | { citation: Citation }

/** An answer until its verdict. */
export type Draft = GenerationWriter & {
  /** Writes everything into the generation, as it was written here. */
  release(): void
}

/** Of what cannot be withheld: readers see it as it is written. */
export const openAnswer = (writer: GenerationWriter): Draft => ({ ...writer, release: () => undefined })

export const holdAnswer = (writer: GenerationWriter): Draft => {
  let written: Written[] = []
  return {
    ...writer,
    text: () => written.map((one) => ('text' in one ? one.text : '')).join(''),
    citations: () => written.flatMap((one) => ('citation' in one ? [one.citation] : [])),
    write: (text) => {
      written.push({ text })
    },
    cite: (citation) => {
      written.push({ citation })
    },
    startOver: () => {
      written = []
    },
    release: () => {
      for (const one of written) {
        if ('text' in one) writer.write(one.text)
        else writer.cite(one.citation)
      }
      written = []
    },
  }
}
