/** What kinds of documents are called, for everybody who reads them on a screen. Pure. */

const words: Readonly<Record<string, string>> = {
  'application/pdf': 'PDF',
  'application/vnd.openxmlformats-officedocument.wordprocessingml.document': 'Word',
  'application/vnd.oasis.opendocument.text': 'Word',
  'application/rtf': 'Word',
  'application/vnd.openxmlformats-officedocument.presentationml.presentation': 'Slides',
  'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet': 'Sheet',
  'text/csv': 'Sheet',
  'text/tab-separated-values': 'Sheet',
  'application/epub+zip': 'Book',
  'message/rfc822': 'Mail',
  'application/mbox': 'Mail',
  'text/markdown': 'Markdown',
  'text/html': 'Web page',
  'application/json': 'Data',
  'application/jsonl': 'Data',
  'application/xml': 'Data',
  'image/png': 'Picture',
  'image/jpeg': 'Picture',
  'image/webp': 'Picture',
}

const plainEndings = /(?:\.(?:txt|log)|^[^.]*)$/i

/** The kind of a document in a word. Source code is stored as plain text, so only its name tells it; without one it is both. */
export const typeWord = (mediaType: string, name?: string): string => {
  if (mediaType !== 'text/plain') return Object.hasOwn(words, mediaType) ? (words[mediaType] ?? mediaType) : mediaType
  if (name === undefined) return 'Text and code'
  return plainEndings.test(name) ? 'Text' : 'Code'
}

/** A language by its name; a code that names none stands for itself. */
export const languageName = (code: string): string => {
  if (code === 'und') return 'unknown'
  try {
    return new Intl.DisplayNames('en', { type: 'language' }).of(code) ?? code
  } catch {
    return code
  }
}
