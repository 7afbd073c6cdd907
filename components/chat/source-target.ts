'use client'
/** What the source panel shows, and how a chip deep in an answer opens it. */
import { createContext, useContext } from 'react'
import type { Citation, NearestDocument } from '#lib/shared/chat-contract.ts'

export type SourceTarget = {
  /** Names the place in the conversation, so that its chip shows that it is open. */
  key: string
  n: number | null
  versionId: string
  title: string
  collection: string | null
  /** Null when only the document is known. */
  mediaType: string | null
  page: number | null
  pages: number | null
  headingPath: string[]
  quote: string
  charStart: number
  charEnd: number
  rects: Citation['rects']
  claim: string | null
  supported: boolean
  removed: boolean
  /** Removed because the reader's access is gone. */
  closed: boolean
}

export const citationKey = (messageId: string, ordinal: number): string => `${messageId}:${ordinal}`

export const targetOf = (messageId: string, citation: Citation): SourceTarget => ({
  key: citationKey(messageId, citation.ordinal),
  n: citation.n,
  versionId: citation.versionId,
  title: citation.title,
  collection: citation.collection,
  mediaType: citation.mediaType,
  page: citation.page,
  pages: citation.pages,
  headingPath: citation.headingPath,
  quote: citation.quote,
  charStart: citation.charStart,
  charEnd: citation.charEnd,
  rects: citation.rects,
  claim: citation.claim,
  supported: citation.supported,
  removed: citation.removed,
  closed: citation.closed ?? false,
})

export const targetOfNearest = (messageId: string, nearest: NearestDocument): SourceTarget => ({
  key: `${messageId}:near:${nearest.versionId}:${nearest.charStart}`,
  n: null,
  versionId: nearest.versionId,
  title: nearest.title,
  collection: null,
  mediaType: nearest.mediaType ?? null,
  page: nearest.page,
  pages: null,
  headingPath: [],
  quote: '',
  charStart: nearest.charStart,
  charEnd: nearest.charEnd,
  rects: [],
  claim: null,
  supported: true,
  removed: false,
  closed: false,
})

export type SourcePanelState = {
  openKey: string | null
  /** `walk` are the passages that J and K step through; `opener` gets the focus back. */
  open: (target: SourceTarget, walk: SourceTarget[], opener: HTMLElement | null) => void
}

export const SourcePanelContext = createContext<SourcePanelState>({ openKey: null, open: () => undefined })
export const useSourcePanel = (): SourcePanelState => useContext(SourcePanelContext)

/** The citations of the answer around a chip. */
export type AnswerCitations = { messageId: string; citations: ReadonlyMap<number, Citation>; streaming: boolean }
export const AnswerCitationsContext = createContext<AnswerCitations>({
  messageId: '',
  citations: new Map(),
  streaming: false,
})
