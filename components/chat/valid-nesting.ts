/** Blocks never stand in a paragraph: a browser reads such a page as another one than the server has written. */
import type { TreeNode } from './citation-markers.ts'

const blocks = new Set(
  'address article aside blockquote details div dl figure footer h1 h2 h3 h4 h5 h6 header hr main nav ol p pre section table ul'.split(
    ' ',
  ),
)

const holdsBlock = ({ children = [] }: TreeNode): boolean =>
  children.some((child) => blocks.has(child.tagName ?? '') || holdsBlock(child))

const widen = (node: TreeNode): void => {
  if (node.tagName === 'p' && holdsBlock(node)) node.tagName = 'div'
  for (const child of node.children ?? []) widen(child)
}

/** rehype: a paragraph that holds a block becomes a `div`. Must run after sanitising, which takes away what stood between them. */
export const rehypeValidNesting = () => widen
