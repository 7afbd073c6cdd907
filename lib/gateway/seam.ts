/** Where one model goes on with what another began: what it says again is dropped, and one that begins from the start is found out. */

/** The end of what was written in which a repetition is looked for. */
const tailCharsMax = 400
/** So many characters like the beginning are a new beginning. */
const headChars = 40
/** Shorter repetitions are chance, unless they are the word that was broken off. */
const repeatedCharsMin = 4

/** The text that comes after what is there; `anew`: instead of it. */
type Joined = { text: string; anew: boolean }

export type Seam = {
  /** Nothing while it cannot be told yet; the joined text once, after which nothing is held any more. */
  push(text: string): Joined | undefined
  end(): Joined
}

export const createSeam = (written: string): Seam => {
  const tail = written.trimEnd().slice(-tailCharsMax)
  const head = written.trimStart().slice(0, headChars)
  const brokenWord = /\s/.test(written.at(-1) ?? ' ') ? '' : (/\S+$/.exec(tail)?.[0] ?? '')
  const afterSpace = brokenWord === ''
  let held = ''

  /** How much of the beginning of `heard` repeats the end. */
  const repeated = (heard: string): number => {
    for (let length = Math.min(tail.length, heard.length); length > 1; length -= 1)
      if (tail.endsWith(heard.slice(0, length)) && (length >= repeatedCharsMin || length === brokenWord.length))
        return length
    return 0
  }
  const joined = (): Joined => {
    const heard = held.trimStart()
    if (head.length === headChars && heard.startsWith(head)) return { text: heard, anew: true }
    const length = repeated(heard)
    const text = length > 0 ? heard.slice(length) : held
    return { text: afterSpace ? text.trimStart() : text, anew: false }
  }
  return {
    push: (text) => {
      held += text
      const heard = held.trimStart()
      const mayBeHead = heard.length < headChars && head.startsWith(heard)
      // It may still grow into a repetition as long as all of it stands somewhere before the end.
      const mayBeRepeated = tail.slice(0, -1).includes(heard)
      return mayBeHead || mayBeRepeated ? undefined : joined()
    },
    end: joined,
  }
}
