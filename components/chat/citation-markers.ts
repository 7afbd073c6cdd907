/** Where the `[^3]` in an answer become chips: in the parsed tree, never in the text, so that code keeps its brackets. */
import { citationMarker } from '#lib/shared/chat-contract.ts'

/** What is needed of a hast or mdast node; the real types are wider. */
export type TreeNode = {
  type: string
  value?: string
  tagName?: string
  identifier?: string
  label?: string | null
  properties?: Record<string, unknown>
  children?: TreeNode[]
}

const literalElements = new Set(['code', 'pre', 'kbd', 'samp'])

const text = (value: string): TreeNode => ({ type: 'text', value })
const cite = (ordinal: string): TreeNode => ({
  type: 'element',
  tagName: 'cite',
  properties: { dataOrdinal: ordinal },
  children: [],
})
const glue = (children: TreeNode[]): TreeNode => ({
  type: 'element',
  tagName: 'span',
  properties: { className: ['glue'] },
  children,
})

/** A word that is longer may break, and its number with it. */
const gluedWordChars = 24
const markerRun = /[ \t]*((?:\[\^\d{1,4}\][ \t]*)*\[\^\d{1,4}\])/g
const lastWord = new RegExp(`(?<!\\S)\\S{1,${gluedWordChars}}$`)

/** Each run of markers stays on the line of the word before it; the space between them is the chip's own. */
const splitAtMarkers = (value: string): TreeNode[] => {
  const nodes: TreeNode[] = []
  let from = 0
  for (const run of value.matchAll(markerRun)) {
    const before = value.slice(from, run.index)
    const word = lastWord.exec(before)?.[0] ?? ''
    const rest = before.slice(0, before.length - word.length)
    const chips = [...run[0].matchAll(citationMarker)].map(([, ordinal]) => cite(ordinal ?? ''))
    if (rest) nodes.push(text(rest))
    if (word) nodes.push(glue([text(word), ...chips]))
    else nodes.push(...chips)
    from = run.index + run[0].length
  }
  if (from < value.length) nodes.push(text(value.slice(from)))
  return nodes
}

const replaceMarkers = (node: TreeNode): void => {
  if (!node.children || literalElements.has(node.tagName ?? '')) return
  node.children = node.children.flatMap((child) => {
    if (child.type === 'text' && child.value?.includes('[^')) return splitAtMarkers(child.value)
    replaceMarkers(child)
    return [child]
  })
}

/** rehype: each marker becomes an empty `<cite data-ordinal>`. Must run after sanitising, which would drop the attribute. */
export const rehypeCitations = () => replaceMarkers

const literalFootnotes = (node: TreeNode): void => {
  if (!node.children) return
  node.children = node.children.flatMap((child): TreeNode[] => {
    literalFootnotes(child)
    const label = `[^${child.label ?? child.identifier ?? ''}]`
    if (child.type === 'footnoteReference') return [{ type: 'text', value: label }]
    if (child.type === 'footnoteDefinition') return child.children ?? []
    return [child]
  })
}

/** remark: markdown's own footnotes stay text, so that an answer that writes `[^1]: …` cannot take a chip's place. */
export const remarkLiteralFootnotes = () => literalFootnotes

/** The text without a marker that has only half arrived. */
export const hideUnfinishedMarker = (text: string): string => text.replace(/\[(?:\^\d{0,4})?$/, '')
