/** What was typed but not sent, kept per chat in this browser; storage that is full or forbidden is no reason to fail. */
const keyOf = (chatKey: string): string => `footnote-draft:${chatKey}`

export const readDraft = (chatKey: string): string => {
  try {
    return localStorage.getItem(keyOf(chatKey)) ?? ''
  } catch {
    return ''
  }
}

export const writeDraft = (chatKey: string, text: string): void => {
  try {
    if (text) localStorage.setItem(keyOf(chatKey), text)
    else localStorage.removeItem(keyOf(chatKey))
  } catch {
    // The text is still on the screen.
  }
}
