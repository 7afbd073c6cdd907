/** A question of several parts, taken apart by rules: pure, and cautious. What is not plainly several questions stays one. */

const partsMax = 4
/** Shorter is no question of its own. */
const wordsMin = 2

const wordsIn = (text: string): number => text.split(/\s+/).filter(Boolean).length
const tidy = (text: string): string => text.replace(/^[\s,;.]+|[\s,;]+$/g, '')

/** "compare A with B", "the difference between A and B": each side by itself. */
const comparison =
  /^(?:please\s+)?(?:compare|contrast|what(?:'s| is| are) the differences? between|how do(?:es)?)\s+(.+?)\s+(?:with|to|and|versus|vs\.?|differ from|compare (?:with|to))\s+(.+?)[?.]*$/i
const differs = /\b(?:compare|contrast|differences?|differ|versus|vs)\b/i

/** A question word begins a question of its own after "and". */
const asks =
  /[,;]?\s+(?:and|und|y|et)\s+(?=(?:what|when|where|who|whom|why|how|which|is|are|does|do|can|was|wann|wie|wo|wer|was|warum|qué|cuándo|cómo|dónde|quién|quand|comment|où|qui)\b)/i

/** The parts of a question that are searched by themselves as well; none when it is one question. */
export const decompose = (question: string): string[] => {
  const sides = differs.test(question) ? comparison.exec(question.trim()) : null
  const found = sides
    ? [sides[1] ?? '', sides[2] ?? '']
    : (question.match(/[^?？؟]+[?？؟]?/gu) ?? []).flatMap((sentence) => sentence.split(asks))
  const parts = [...new Set(found.map(tidy))].filter((part) => wordsIn(part) >= (sides ? 1 : wordsMin))
  return parts.length > 1 ? parts.slice(0, partsMax) : []
}
