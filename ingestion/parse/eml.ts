/** Messages: one of them (EML) or a box of them (MBOX). Headers come first, then what was written, then what it quotes. */
import PostalMime, { type Address, type Attachment, type Email } from 'postal-mime'
import { createTextBuilder, type TextBuilder } from './builder.ts'
import { cleanText, oneLine } from './clean-text.ts'
import { addHtml } from './hast-blocks.ts'
import { cleanLine, metaOf } from './meta.ts'
import type { ParsedDocument } from './parsed-document.ts'
import { Refusal } from './refusal.ts'

const messagesMax = 20_000
const attachmentsMax = 50
const attachmentBytesMax = 25 * 1_048_576
const addressesMax = 100

type File = { name: string; bytes: Uint8Array }

const nameOf = (address: Address): string => {
  if (address.group) return oneLine(`${address.name}: ${address.group.map(nameOf).join(', ')}`)
  return oneLine(address.name ? `${address.name} <${address.address}>` : address.address)
}

const namesOf = (addresses: readonly Address[] = []): string => {
  const rest = addresses.length - addressesMax
  return `${addresses.slice(0, addressesMax).map(nameOf).join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`
}

/** A mark that what follows was written earlier by somebody else. */
const quoteStart =
  /^(?:-{2,}\s*(?:original message|forwarded message|ursprüngliche nachricht|message d'origine|mensaje original)\s*-{2,}|_{20,}|(?:on|am|le|el|il|em) .{6,200}(?:wrote|schrieb|a écrit|escribió|ha scritto|escreveu)\s*:)\s*$/i

type Stretch = { quoted: boolean; lines: string[] }

/** The lines of a body in stretches of own and quoted words. */
const stretchesOf = (text: string): Stretch[] => {
  const stretches: Stretch[] = []
  let forwarded = false
  for (const line of text.split('\n')) {
    const marked = /^\s*>/.test(line)
    forwarded ||= quoteStart.test(line)
    const quoted = marked || forwarded
    // A line that says who is quoted ends with the marks below it, not with the message.
    if (marked && forwarded) forwarded = false
    const last = stretches.at(-1)
    const plain = line.replace(/^(?:\s*>)+ ?/, '')
    if (last && (last.quoted === quoted || !plain.trim())) last.lines.push(plain)
    else stretches.push({ quoted, lines: [plain] })
  }
  return stretches
}

const addPlain = (text: string, builder: TextBuilder): void => {
  const stretches = stretchesOf(cleanText(text)).filter(({ lines }) => lines.some((line) => line.trim()))
  const quotes = stretches.filter(({ quoted }) => quoted)
  // One quote goes below what was written. Answers between several quotes mean nothing away from them.
  const ordered = quotes.length > 1 ? stretches : [...stretches.filter(({ quoted }) => !quoted), ...quotes]
  for (const { lines } of ordered)
    for (const paragraph of lines.join('\n').split(/\n[ \t]*\n\s*/)) builder.add('paragraph', paragraph)
}

const bytesOf = ({ content }: Attachment): Uint8Array =>
  typeof content === 'string' ? new TextEncoder().encode(content) : new Uint8Array(content)

const fallbackName = ({ mimeType }: Attachment, number: number): string =>
  mimeType === 'message/rfc822' ? `message-${number}.eml` : `attachment-${number}`

/** Takes the files of a message as long as there is room, and says of each what became of it. */
const takeFiles = (email: Email, files: File[]): string[] =>
  // A picture that the text shows in place is a logo far more often than content.
  email.attachments
    .filter(({ related, disposition }) => !(related && disposition !== 'attachment'))
    .map((attachment, index) => {
      const name = oneLine(attachment.filename ?? '') || fallbackName(attachment, index + 1)
      const bytes = bytesOf(attachment)
      const taken = files.reduce((sum, file) => sum + file.bytes.length, 0)
      if (files.length >= attachmentsMax || taken + bytes.length > attachmentBytesMax) return `${name} (not read)`
      if (bytes.length > 0) files.push({ name, bytes })
      return name
    })

const addMessage = (email: Email, files: File[], heading: string | null, builder: TextBuilder): void => {
  if (heading) builder.add('heading', heading, 1)
  const attached = takeFiles(email, files)
    .slice(0, attachmentsMax * 2)
    .join(', ')
  const head = [
    ['From', email.from ? nameOf(email.from) : ''],
    ['To', namesOf(email.to)],
    ['Cc', namesOf(email.cc)],
    ['Date', oneLine(email.date ?? '')],
    ['Subject', oneLine(email.subject ?? '')],
    ['Attachments', attached],
  ]
  builder.add('paragraph', head.flatMap(([name, value]) => (value ? [`${name}: ${value}`] : [])).join('\n'))
  if (email.text?.trim()) addPlain(email.text, builder)
  else if (email.html) addHtml(cleanText(email.html), builder)
}

const fromLine = /^From \S/

/** The messages of a box: each begins with a line `From …` after an empty one (RFC 4155). */
const messagesOf = (bytes: Buffer): Buffer[] => {
  const starts: number[] = []
  for (let at = 0; at >= 0 && at < bytes.length; ) {
    const line = bytes.toString('latin1', at, Math.min(bytes.length, at + 200)).split('\n', 1)[0] ?? ''
    if (fromLine.test(line)) starts.push(at)
    if (starts.length > messagesMax) throw new Refusal('too-much-text', `more than ${messagesMax} messages`)
    const next = bytes.indexOf('\nFrom ', at)
    at = next < 0 ? -1 : next + 1
  }
  return starts.map((start, index) => {
    const message = bytes.subarray(bytes.indexOf('\n', start) + 1 || bytes.length, starts[index + 1] ?? bytes.length)
    // Lines of the text that begin with "From " were marked when they were put into the box.
    return Buffer.from(message.toString('latin1').replace(/^>(>*From )/gm, '$1'), 'latin1')
  })
}

const readMessage = async (bytes: Buffer): Promise<Email> => {
  try {
    return await PostalMime.parse(bytes, { forceRfc822Attachments: true, maxNestingDepth: 50 })
  } catch (error) {
    throw new Refusal('damaged', error instanceof Error ? error.message : 'not a message')
  }
}

/** Reads a message or a box. Throws `Refusal`: `damaged`, `no-text`, `too-much-text`. */
export const parseEml = async (
  bytes: Buffer,
  onProgress: (done: number, total: number) => void,
): Promise<ParsedDocument> => {
  const messages = bytes.subarray(0, 5).toString('latin1') === 'From ' ? messagesOf(bytes) : [bytes]
  const isBox = messages.length > 1
  const builder = createTextBuilder()
  const files: File[] = []
  let first: Email | null = null
  for (const [index, message] of messages.entries()) {
    const email = await readMessage(message)
    first ??= email
    addMessage(email, files, isBox ? oneLine(email.subject ?? '') || `Message ${index + 1}` : null, builder)
    onProgress(index + 1, messages.length)
  }
  if (!first || builder.length() === 0) throw new Refusal('no-text')
  const own = isBox
    ? { title: null }
    : { title: cleanLine(first.subject), ...metaOf({ author: first.from && nameOf(first.from), date: first.date }) }
  return {
    kind: 'eml',
    ...own,
    ...builder.build(),
    pages: [],
    ...(files.length > 0 ? { attachments: files } : {}),
  }
}
