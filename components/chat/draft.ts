/** What was typed but not sent, kept per person and chat in this browser; storage that is full or forbidden is no reason to fail. */
const keyOf = (key: string): string => `footnote-draft:${key}`

export const readDraft = (key: string): string => {
  try {
    return localStorage.getItem(keyOf(key)) ?? ''
  } catch {
    return ''
  }
}

export const writeDraft = (key: string, text: string): void => {
  try {
    if (text) localStorage.setItem(keyOf(key), text)
    else localStorage.removeItem(keyOf(key))
  } catch {
    // The text is still on the screen.
  }
}
