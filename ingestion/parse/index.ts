/** The table of parsers. A new type is one file beside this one, one line here, one line in `detect.ts`, and a fixture. */
import type { DocumentKind, ParsedDocument } from './parsed-document.ts'

type Parser = (
  bytes: Buffer,
  onProgress: (done: number, total: number) => void,
) => ParsedDocument | Promise<ParsedDocument>

/** Loaded when needed: a process reads one file, and the libraries of the other types take longer to load than most files to read. */
const parsers: Record<DocumentKind, () => Promise<Parser>> = {
  pdf: async () => (await import('./pdf.ts')).parsePdf,
  docx: async () => (await import('./docx.ts')).parseDocx,
  html: async () => (await import('./html.ts')).parseHtml,
  markdown: async () => (await import('./markdown.ts')).parseMarkdown,
  text: async () => (await import('./text.ts')).parseText,
  csv: async () => (await import('./csv.ts')).parseCsv,
}

/** Reads `bytes` as `kind`. Throws `Refusal` with a reason a person can act on; anything else thrown means a damaged file. */
export const parse = async (
  kind: DocumentKind,
  bytes: Buffer,
  onProgress: (done: number, total: number) => void,
): Promise<ParsedDocument> => (await parsers[kind]())(bytes, onProgress)
