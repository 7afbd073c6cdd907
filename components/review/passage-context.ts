'use client'
import { useEffect, useState } from 'react'
import type { Citation } from '#lib/shared/chat-contract.ts'

/** A supporting sentence with a little of what stands around it. */
type Passage = { before: string; quote: string; after: string }

const aroundChars = 160

const edge = /\n\s*\n/

/** The words around a quote within its paragraph, cut at words. The quote alone where the text does not have it there. */
export const passageIn = (
  text: string,
  { charStart, charEnd, quote }: Pick<Citation, 'charStart' | 'charEnd' | 'quote'>,
): Passage => {
  const inText = text.slice(charStart, charEnd)
  const plain = (words: string): string => words.replace(/\s+/g, ' ').trim()
  if (!quote || plain(inText) !== plain(quote)) return { before: '', quote, after: '' }
  const lead =
    text
      .slice(Math.max(0, charStart - aroundChars), charStart)
      .split(edge)
      .at(-1) ?? ''
  const rest = text.slice(charEnd, charEnd + aroundChars).split(edge)[0] ?? ''
  const cutBefore = lead.length === aroundChars ? `…${lead.slice(lead.search(/\s/))}` : lead
  const cutAfter = rest.length === aroundChars ? `${rest.slice(0, rest.search(/\s\S*$/))} …` : rest
  return { before: cutBefore.trimStart(), quote: inText, after: cutAfter.trimEnd() }
}

const textsHeldMax = 12
/** Texts of versions, which never change; a failure is not kept. */
const texts = new Map<string, Promise<string | null>>()

const textOf = (versionId: string): Promise<string | null> => {
  const held = texts.get(versionId)
  if (held) return held
  const asked = fetch(`/api/documents/versions/${versionId}/text`)
    .then(async (response) => (response.ok ? ((await response.json()) as { text: string }).text : null))
    .catch(() => null)
  texts.set(versionId, asked)
  void asked.then((text) => text ?? texts.delete(versionId))
  const [oldest] = texts.keys()
  if (texts.size > textsHeldMax && oldest) texts.delete(oldest)
  return asked
}

/** The quote at once, and its surroundings when the document has been read. */
export const usePassage = (citation: Citation): Passage => {
  const { versionId, charStart, charEnd, quote, removed } = citation
  const [text, setText] = useState<string | null>(null)
  useEffect(() => {
    let gone = false
    if (!removed)
      void textOf(versionId).then((found) => {
        if (!gone) setText(found)
      })
    return () => {
      gone = true
    }
  }, [versionId, removed])
  return text === null ? { before: '', quote, after: '' } : passageIn(text, { charStart, charEnd, quote })
}
