/** The table of parsers. A new type is one file beside this one, one line here, one line in `detect.ts`, and a fixture. */
import type { DocumentKind, ParsedDocument } from './parsed-document.ts'
import type { RecognisedPage } from './recognised.ts'

type Parser = (
  bytes: Buffer,
  onProgress: (done: number, total: number) => void,
  about: About,
) => ParsedDocument | Promise<ParsedDocument>

type About = {
  /** Tells the language of source code. */
  name: string
  /** Pages that text recognition has read. */
  recognised: readonly RecognisedPage[]
}

/** Loaded when needed: a process reads one file, and the libraries of the other types take longer to load than most files to read. */
const parsers: Record<DocumentKind, () => Promise<Parser>> = {
  pdf: async () => (await import('./pdf.ts')).parsePdf,
  docx: async () => (await import('./docx.ts')).parseDocx,
  pptx: async () => (await import('./pptx.ts')).parsePptx,
  xlsx: async () => (await import('./xlsx.ts')).parseXlsx,
  csv: async () => (await import('./csv.ts')).parseCsv,
  html: async () => (await import('./html.ts')).parseHtml,
  markdown: async () => (await import('./markdown.ts')).parseMarkdown,
  text: async () => (await import('./text.ts')).parseText,
  code: async () => {
    const { parseCode } = await import('./code.ts')
    return (bytes, _onProgress, { name }) => parseCode(bytes, name)
  },
  epub: async () => (await import('./epub.ts')).parseEpub,
  eml: async () => (await import('./eml.ts')).parseEml,
  json: async () => (await import('./json.ts')).parseJson,
  xml: async () => (await import('./xml.ts')).parseXml,
  odt: async () => (await import('./odt.ts')).parseOdt,
  rtf: async () => (await import('./rtf.ts')).parseRtf,
  image: async () => {
    const { parseImage } = await import('./image.ts')
    return (_bytes, _onProgress, { recognised }) => parseImage(recognised)
  },
}

/** Reads `bytes` as `kind`. Throws `Refusal` with a reason a person can act on; anything else thrown means a damaged file. */
export const parse = async (
  kind: DocumentKind,
  bytes: Buffer,
  onProgress: (done: number, total: number) => void,
  { name = '', recognised = [] }: Partial<About> = {},
): Promise<ParsedDocument> => (await parsers[kind]())(bytes, onProgress, { name, recognised })
