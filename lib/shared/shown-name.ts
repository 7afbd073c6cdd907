/** Names that others chose, shown so that they are what they look like. */

/**
 * What does not show, or turns the direction of what stands around it: controls, zero-width and direction characters, tags, blanks that
 * are letters. A joiner is left where it shapes letters (Persian, Indic scripts, emoji).
 */
const hidden =
  /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\ufff9-\ufffb]|(?!\u200c|\u200d|\p{VS})\p{DI}|(?<![\p{L}\p{M}\p{Emoji}]|\ufe0f)[\u200c\u200d]|(?<=[\x20-\u024f])[\u200c\u200d]/gu

/** A name with what is hidden in it made visible, by its number: `invoice⟨202E⟩fdp.exe`. */
export const shownName = (name: string): string =>
  name.replace(hidden, (one) => `⟨${(one.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}⟩`)

const lookalikes = /[\p{Script=Cyrillic}\p{Script=Greek}\p{Script=Armenian}\p{Script=Cherokee}\p{Script=Coptic}]/u
/** Letters of Latin and numbers in other dress: fullwidth, mathematical, enclosed. */
const dressed = /[\uff10-\uff5a\u{1d400}-\u{1d7ff}\u{1f100}-\u{1f189}\u2460-\u24ff]/u
/** A letter that stands for a quantity or a unit is no disguise. */
const alone = /^[\p{P}\p{N}\p{S}]*\p{L}[\p{P}\p{N}\p{S}]*$/u

/** Whether a word in the name is written so that it looks like another: with letters of two alphabets, or in other dress. */
export const mayDeceive = (name: string): boolean =>
  dressed.test(name) ||
  name
    .split(/[\s_./\\-]+/)
    .some((word) => !alone.test(word) && /\p{Script=Latin}/u.test(word.replace(/[µ]/g, '')) && lookalikes.test(word))
