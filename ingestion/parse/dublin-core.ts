/** Title, author and day as Office files, OpenDocument and EPUB say them: with the elements of Dublin Core. */
import { cleanLine, metaOf } from './meta.ts'
import type { ParsedDocument } from './parsed-document.ts'
import { elementsBelow, parseXmlTree, textOf } from './xml-tree.ts'

type Properties = Pick<ParsedDocument, 'title' | 'meta'>

/** What the first values found make known; `null` for a missing file gives nothing. A broken one is no reason to refuse the document. */
export const readProperties = (source: string | null): Properties => {
  if (source === null) return { title: null }
  try {
    const root = parseXmlTree(source)
    const first = (...names: readonly string[]): string | null =>
      names
        .flatMap((name) => elementsBelow(root, name))
        .map((node) => cleanLine(textOf(node)))
        .find(Boolean) ?? null
    return {
      title: first('title'),
      ...metaOf({
        author: first('creator', 'initial-creator', 'lastModifiedBy'),
        date: first('modified', 'date', 'created', 'creation-date'),
      }),
    }
  } catch {
    return { title: null }
  }
}
