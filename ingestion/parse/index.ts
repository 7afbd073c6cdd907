/** The table of parsers. A new type is one file beside this one, one line here, one line in `detect.ts`, and a fixture. */
import { parseCsv } from './csv.ts'
import { parseDocx } from './docx.ts'
import { parseHtml } from './html.ts'
import { parseMarkdown } from './markdown.ts'
import type { DocumentKind, ParsedDocument } from './parsed-document.ts'
import { parsePdf } from './pdf.ts'
import { parseText } from './text.ts'

type Parser = (
  bytes: Buffer,
  onProgress: (done: number, total: number) => void,
) => ParsedDocument | Promise<ParsedDocument>

const parsers: Record<DocumentKind, Parser> = {
  pdf: parsePdf,
  docx: parseDocx,
  html: parseHtml,
  markdown: parseMarkdown,
  text: parseText,
  csv: parseCsv,
}

/** Reads `bytes` as `kind`. Throws `Refusal` with a reason a person can act on; anything else thrown means a damaged file. */
export const parse = async (
  kind: DocumentKind,
  bytes: Buffer,
  onProgress: (done: number, total: number) => void,
): Promise<ParsedDocument> => parsers[kind](bytes, onProgress)
