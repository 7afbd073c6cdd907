import type { Citation } from '#lib/shared/chat-contract.ts'
import { piecesOfSentence, withoutListMark } from './sentence-edit.ts'
import { type Change, wordDiff } from './word-diff.ts'

type Citations = ReadonlyMap<number, Citation>

/** A marker as its chip is called; one that names no source as it was typed. */
const markerName = (text: string, citations: Citations): string =>
  piecesOfSentence(text)
    .map((piece) => ('text' in piece ? piece.text : `[${citations.get(piece.ordinal)?.n ?? `^${piece.ordinal}`}]`))
    .join('')

const Piece = ({ kind, text, citations }: Change & { citations: Citations }) => {
  const words = markerName(text, citations)
  if (kind === 'same') return words
  return kind === 'added' ? (
    <ins className="text-success no-underline">
      <span className="sr-only"> (added: </span>
      {words}
      <span className="sr-only">) </span>
    </ins>
  ) : (
    <del className="me-0.5 text-destructive decoration-1">
      <span className="sr-only"> (taken out: </span>
      {words}
      <span className="sr-only">) </span>
    </del>
  )
}

/** What was changed, word by word: what went is struck, what came is green, and both are said to who cannot see it. */
export const DiffText = ({ before, after, citations }: { before: string; after: string; citations: Citations }) => {
  const pieces = wordDiff(before, after).map((change, at) => ({ ...change, key: `${at} ${change.kind}` }))
  return (
    <p dir="auto" className="mt-2 whitespace-pre-line font-medium text-[14px] leading-[1.6] [overflow-wrap:anywhere]">
      {pieces.map(({ key, ...change }) => (
        <Piece key={key} {...change} citations={citations} />
      ))}
    </p>
  )
}

/** Marks that only shape a text are left out where a sentence stands alone. */
const withoutMarks = (text: string): string => text.replace(/(\*\*|__|`)(?=\S)(.+?)\1/g, '$2')
const withoutLead = (text: string): string => withoutListMark(text).replace(/^\s*#{1,6}\s+/, '')

/** A sentence of the answer with its numbers, which are those of its markers. */
export const SentenceText = ({
  text,
  citations,
  number,
}: {
  text: string
  citations: Citations
  /** How the number of a source that is there is drawn. */
  number: (citation: Citation) => React.ReactNode
}) => {
  const pieces = piecesOfSentence(withoutLead(text)).map((piece, at) => ({
    piece,
    key: `${at} ${Object.keys(piece)[0]}`,
  }))
  return pieces.map(({ piece, key }) => {
    if ('text' in piece) return <span key={key}>{withoutMarks(piece.text)}</span>
    const citation = citations.get(piece.ordinal)
    return citation ? <span key={key}>{number(citation)}</span> : null
  })
}
