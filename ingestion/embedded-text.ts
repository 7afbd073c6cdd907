import type { ChunkDraft } from './chunk/index.ts'

/** What is embedded, and by its hash what may share a vector: the headings, the context, the text. */
export const embeddedText = ({
  headingPath,
  context,
  text,
}: Pick<ChunkDraft, 'headingPath' | 'context' | 'text'>): string =>
  [headingPath.join(' > '), context, text].filter(Boolean).join('\n')
