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

const splitAtMarkers = (value: string): TreeNode[] => {
  const nodes: TreeNode[] = []
  let from = 0
  for (const match of value.matchAll(citationMarker)) {
    // The chip has its own distance; a space before it would let it fall onto the next line alone.
    const before = value.slice(from, match.index).replace(/[ \t]+$/, '')
    if (before) nodes.push({ type: 'text', value: before })
    nodes.push({ type: 'element', tagName: 'cite', properties: { dataOrdinal: match[1] ?? '' }, children: [] })
    from = match.index + match[0].length
  }
  if (from < value.length) nodes.push({ type: 'text', value: value.slice(from) })
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
