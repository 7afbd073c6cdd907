/** From an answer as it streams to its finished sentences, each with the ordinals of what it cites. Pure, and the same however it is cut. */
import { claimsSomething, fenceOpenedBy, saysNothingFound } from '#lib/rag/index.ts'
import { plainClaim } from '#lib/shared/support.ts'
import { type Span, sentences } from '#lib/shared/text.ts'

export type Claim = {
  /** Without markers and Markdown. */
  text: string
  /** In the answer as it is shown, markers included. */
  start: number
  end: number
  ordinals: number[]
  claims: boolean
  /** It only remarks that the sources do not say, or leads over to such a remark. */
  remarks: boolean
}

export type ClaimReader = {
  /** Sentences that are finished with this text, their markers too. */
  push(shown: string): Claim[]
  /** What is left. */
  end(): Claim[]
  /** The beginning of the sentence that is being written. */
  beginning(): string
  /** Whether some of it stands in fenced code, where no claims are looked for. */
  hasCode(): boolean
}

const marker = /\[\^(\d+)\]/g
const spacedMarker = /\s*\[\^\d+\]/g
/** The line may be a fence, or be about to be one. */
const marksFirst = /^ {0,3}(?:`|~|$)/
/** Only after these can a sentence have ended. */
const mayEnd = /[.!?…。！？\n\]]/

/** Until a letter comes after a stop, it may turn out to be none: "approx. (3) days". */
const hasLetter = (text: string, span: Span | undefined): boolean =>
  span !== undefined && /\p{L}/u.test(text.slice(span.start, span.end))

export const createClaimReader = (): ClaimReader => {
  /** What is not yet given out, as shown, and where it begins. */
  let open = ''
  let openAt = 0
  let fence: string | null = null
  let code = false
  /** Reads a whole line as a part of fenced code; false when it is none. */
  const readCode = (line: string): boolean => {
    if (fence === null) {
      fence = fenceOpenedBy(line) ?? null
      return fence !== null
    }
    const closing = /^ {0,3}(`{3,}|~{3,})/.exec(line)?.[1]
    if (closing && closing[0] === fence[0] && closing.length >= fence.length) fence = null
    else if (line.trim() !== '') code = true
    return true
  }

  /** Claims of whole lines, or of the beginning of one. */
  const readLine = (line: string, at: number, final: boolean): { claims: Claim[]; read: number } => {
    const marks = [...line.matchAll(marker)].map((found) => ({
      ordinal: Number(found[1]),
      start: found.index,
      end: found.index + found[0].length,
    }))
    // Blanks of the same length: offsets stay those of the shown text.
    const plain = line.replace(marker, (found) => ' '.repeat(found.length))
    const spans = sentences(plain)
    // The last one may go on, and markers may still follow it.
    const ready = final ? spans : spans.slice(0, hasLetter(plain, spans.at(-1)) ? -1 : -2)
    const claims = ready.flatMap((span, i): Claim[] => {
      const until = spans[i + 1]?.start ?? line.length
      const from = i === 0 ? 0 : span.start
      const own = marks.filter(({ start }) => start >= from && start < until)
      const raw = line.slice(span.start, span.end).replace(spacedMarker, '')
      const text = plainClaim(raw)
      if (text === '') return []
      const ordinals = [...new Set(own.map(({ ordinal }) => ordinal))]
      const end = Math.max(span.end, ...own.map((mark) => mark.end))
      const claims = ordinals.length > 0 || claimsSomething(raw)
      const remarks = !claims && (/[:?？]$/.test(text) || saysNothingFound(raw))
      return [{ text, start: at + span.start, end: at + end, ordinals, claims, remarks }]
    })
    const rest = ready.length === 0 ? 0 : (spans[ready.length]?.start ?? 0)
    return { claims, read: final ? line.length : rest }
  }

  const drain = (final: boolean): Claim[] => {
    const claims: Claim[] = []
    for (;;) {
      const at = open.indexOf('\n')
      const whole = at >= 0 || final
      const line = at >= 0 ? open.slice(0, at) : open
      if (!whole && (fence !== null || marksFirst.test(line))) return claims
      if (!readCode(line)) {
        const found = readLine(line, openAt, whole)
        claims.push(...found.claims)
        if (!whole) {
          open = open.slice(found.read)
          openAt += found.read
          return claims
        }
      }
      open = at >= 0 ? open.slice(at + 1) : ''
      openAt += line.length + (at >= 0 ? 1 : 0)
      if (open === '') return claims
    }
  }

  return {
    push: (shown) => {
      open += shown
      return mayEnd.test(open) ? drain(false) : []
    },
    end: () => drain(true),
    beginning: () => (fence === null ? open : ''),
    hasCode: () => code,
  }
}
