/** HTML: the readable part of a page, without its navigation, scripts and footers. Nothing is loaded and nothing is run. */
import { isProbablyReaderable, Readability } from '@mozilla/readability'
import { parseHTML } from 'linkedom'
import { createTextBuilder } from './builder.ts'
import { addHtml } from './hast-blocks.ts'
import { cleanLine, metaOf } from './meta.ts'
import type { ParsedDocument } from './parsed-document.ts'
import { Refusal } from './refusal.ts'
import { readText } from './text.ts'

/** Not `form`: whole pages stand in one; its controls are left out later. */
const boilerplate = 'nav, footer, script, style, noscript, template, iframe, [hidden], [aria-hidden="true"]'
/** Not shown to a reader of the page; scripts may show it later, but what they would show nobody knows. */
const hiddenStyle =
  /(?:^|;)\s*(?:display\s*:\s*none|visibility\s*:\s*hidden|opacity\s*:\s*0(?:\.0+)?\s*(?:;|!|$)|font-size\s*:\s*0)/i
/** What the reader keeps must be at least this share of the page's words, or it has cut into the content. */
const readerShareMin = 0.5

type Page = ReturnType<typeof parseHTML>['document']

const removeHidden = (document: Page): void => {
  for (const element of document.querySelectorAll('[style]')) {
    const holdsPage = element === document.body || element.querySelector('main, article, h1') !== null
    // A whole page is hidden only until it has loaded.
    if (!holdsPage && hiddenStyle.test(element.getAttribute('style') ?? '')) element.remove()
  }
}

/** The first of these elements of the head that says something. */
const said = (document: Page, ...selectors: readonly string[]): string | null => {
  for (const selector of selectors) {
    const element = document.querySelector(selector)
    const words = cleanLine(element?.getAttribute('content') ?? element?.getAttribute('datetime'))
    if (words) return words
  }
  return null
}
const authorTags = ['meta[name="author" i]', 'meta[property="article:author"]', 'meta[name="dc.creator" i]']
const dateTags = [
  'meta[property="article:modified_time"]',
  'meta[property="article:published_time"]',
  'meta[name="date" i]',
  'meta[name="dc.date" i]',
  'article time[datetime]',
]

const wordCount = (text: string | null | undefined): number => (text ?? '').split(/\s+/).filter(Boolean).length

/** Reads a page. What is hidden on it is left out. Throws `Refusal`: wrong-type, no-text. */
export const parseHtml = (bytes: Uint8Array): ParsedDocument => {
  const source = readText(bytes)
  const { document } = parseHTML(
    /<html[\s>]/i.test(source) ? source : `<!doctype html><html><head></head><body>${source}</body></html>`,
  )
  const title = cleanLine(document.querySelector('title')?.textContent) ?? said(document, 'meta[property="og:title"]')
  const meta = metaOf({ author: said(document, ...authorTags), date: said(document, ...dateTags) })
  removeHidden(document)
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
  return { kind: 'html', title: title ?? reader?.title ?? null, ...built, pages: [], ...meta }
}
