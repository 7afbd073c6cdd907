/** The keys of the desk: one table for what they do, the sheet that lists them, and the signs on buttons. */
export const deskKeys = [
  { act: 'next-sentence', keys: ['j'], shown: 'J', words: 'Next sentence' },
  { act: 'previous-sentence', keys: ['k'], shown: 'K', words: 'Previous sentence' },
  { act: 'open', keys: ['enter'], shown: 'Enter', words: 'Open the passage behind the sentence' },
  { act: 'approve', keys: ['a'], shown: 'A', words: 'Approve' },
  { act: 'edit', keys: ['e'], shown: 'E', words: 'Edit the sentence' },
  { act: 'edit-whole', keys: ['w'], shown: 'W', words: 'Edit the whole answer' },
  { act: 'reject', keys: ['r'], shown: 'R', words: 'Reject, then 1 to 7 for the reason' },
  { act: 'expert', keys: ['x'], shown: 'X', words: 'Ask an expert' },
  { act: 'hand-on', keys: ['h'], shown: 'H', words: 'Hand on to somebody else' },
  { act: 'comment', keys: ['c'], shown: 'C', words: 'Comment' },
  { act: 'again', keys: ['o'], shown: 'O', words: 'Open the answer that was sent last, or was not taken' },
  { act: 'golden', keys: ['g'], shown: 'G', words: 'Once decided: save as golden case' },
  { act: 'curated', keys: ['s'], shown: 'S', words: 'Once decided: save as checked answer' },
  { act: 'note', keys: ['d'], shown: 'D', words: 'Once decided: note on a document' },
  { act: 'next', keys: ['n'], shown: 'N', words: 'Leave it to others and open the next answer' },
  { act: 'take-back', keys: ['u'], shown: 'U', words: 'Take the last decision back, for 4 seconds' },
  { act: 'keys', keys: ['?'], shown: '?', words: 'Show these keys' },
] as const
export type DeskAct = (typeof deskKeys)[number]['act']

/** Keys of a sentence that has the focus. */
export const sentenceKeys = [
  { shown: '↓', words: 'Next sentence' },
  { shown: '↑', words: 'Previous sentence' },
] as const

/** Keys that work while typing too. */
export const typingKeys = [
  { shown: 'Ctrl Enter', words: 'Approve with the edit' },
  { shown: 'Esc', words: 'Stop typing, or close what is open' },
] as const

/** What is known of a key press. */
export type Press = {
  key: string
  ctrlKey: boolean
  metaKey: boolean
  altKey: boolean
  /** What has the focus. */
  target: 'field' | 'control' | 'other'
  /** A dialog or a menu is open. */
  covered: boolean
  /** Keys of one letter are not switched off. */
  letters: boolean
}

/** What a press asks for: nothing while typing, in a dialog, or where the browser has its own meaning for the key. */
export const deskActOf = ({
  key,
  ctrlKey,
  metaKey,
  altKey,
  target,
  covered,
  letters,
}: Press): DeskAct | 'approve-edit' | null => {
  if (covered || altKey) return null
  const pressed = key.toLowerCase()
  if (pressed === 'enter' && (ctrlKey || metaKey)) return 'approve-edit'
  if (ctrlKey || metaKey || target === 'field') return null
  // Enter presses the button that has the focus.
  if (pressed === 'enter' && target === 'control') return null
  if (pressed.length === 1 && !letters) return null
  return deskKeys.find(({ keys }) => (keys as readonly string[]).includes(pressed))?.act ?? null
}

const fields = /^(INPUT|TEXTAREA|SELECT)$/
const controls = /^(BUTTON|A|SUMMARY)$/

/** Of an element that has the focus; rows of a list are none of these. */
export const focusKind = (target: EventTarget | null): Press['target'] => {
  if (!(target instanceof HTMLElement)) return 'other'
  if (target.isContentEditable || fields.test(target.tagName)) return 'field'
  return controls.test(target.tagName) || /^(button|menuitem|option)$/.test(target.role ?? '') ? 'control' : 'other'
}
