/** HTML: the readable part of a page, without its navigation, scripts and footers. Nothing is loaded and nothing is run. */
import { isProbablyReaderable, Readability } from '@mozilla/readability'
import { parseHTML } from 'linkedom'
import { createTextBuilder } from './builder.ts'
import { addHtml } from './hast-blocks.ts'
import type { ParsedDocument } from './parsed-document.ts'
import { Refusal } from './refusal.ts'
import { readText } from './text.ts'

const boilerplate =
  'nav, header nav, footer, aside, script, style, noscript, template, iframe, form, [hidden], [aria-hidden="true"]'
/** What the reader keeps must be at least this share of the page's words, or it has cut into the content. */
const readerShareMin = 0.5

const wordCount = (text: string | null | undefined): number => (text ?? '').split(/\s+/).filter(Boolean).length

export const parseHtml = (bytes: Uint8Array): ParsedDocument => {
  const source = readText(bytes)
  const { document } = parseHTML(
    /<html[\s>]/i.test(source) ? source : `<!doctype html><html><head></head><body>${source}</body></html>`,
  )
  const title = document.querySelector('title')?.textContent?.replace(/\s+/g, ' ').trim() || null
  for (const element of document.querySelectorAll(boilerplate)) element.remove()
  const main = document.querySelector('main, article') ?? document.body
  const whole = main?.innerHTML ?? source
  const words = wordCount(main?.textContent)
  const reader = isProbablyReaderable(document)
    ? new Readability(document.cloneNode(true) as typeof document).parse()
    : null
  const content =
    reader?.content && wordCount(reader.textContent) >= words * readerShareMin && main === document.body
      ? reader.content
      : whole
  const builder = createTextBuilder()
  addHtml(content, builder)
  const built = builder.build()
  if (!built.text.trim()) throw new Refusal('no-text')
  return { kind: 'html', title: title ?? reader?.title ?? null, ...built, pages: [] }
}
