/** HTML: the readable part of a page, without its navigation, scripts and footers. Nothing is loaded and nothing is run. */
import { isProbablyReaderable, Readability } from '@mozilla/readability'
import { parseHTML } from 'linkedom'
import { createTextBuilder } from './builder.ts'
import { addHtml } from './hast-blocks.ts'
import type { ParsedDocument } from './parsed-document.ts'
import { Refusal } from './refusal.ts'
import { readText } from './text.ts'

/** Not `form`: whole pages stand in one; its controls are left out later. */
const boilerplate = 'nav, footer, script, style, noscript, template, iframe, [hidden], [aria-hidden="true"]'
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
  // Beside the content an aside is a sidebar; inside it, a note or a warning.
  for (const element of document.querySelectorAll('aside')) if (!element.closest('main, article')) element.remove()
  const articles = document.querySelectorAll('article')
  const main = document.querySelector('main') ?? (articles.length === 1 ? articles[0] : null) ?? document.body
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
