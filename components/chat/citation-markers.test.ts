import { describe, expect, it } from 'vitest'
import { hideUnfinishedMarker, rehypeCitations, remarkLiteralFootnotes, type TreeNode } from './citation-markers.ts'

const text = (value: string): TreeNode => ({ type: 'text', value })
const element = (tagName: string, ...children: TreeNode[]): TreeNode => ({ type: 'element', tagName, children })
const cite = (ordinal: string): TreeNode => ({
  type: 'element',
  tagName: 'cite',
  properties: { dataOrdinal: ordinal },
  children: [],
})
const glued = (...children: TreeNode[]): TreeNode => ({
  type: 'element',
  tagName: 'span',
  properties: { className: ['glue'] },
  children,
})
const applied = (tree: TreeNode): TreeNode => {
  rehypeCitations()(tree)
  return tree
}

describe('citation markers', () => {
  it('become chips in the order of the text, neighbours too', () => {
    expect(applied(element('p', text('Ten days. [^1][^12] More of it.[^2] End'))).children).toEqual([
      text('Ten '),
      glued(text('days.'), cite('1'), cite('12')),
      text(' More of '),
      glued(text('it.'), cite('2')),
      text(' End'),
    ])
  })

  it('do not hold a word that is too long for a line', () => {
    const long = 'x'.repeat(30)
    expect(applied(element('p', text(`${long}[^1]`))).children).toEqual([text(long), cite('1')])
  })

  it('are found inside emphasis, lists and table cells', () => {
    const tree = applied(element('table', element('td', element('strong', text('10[^3]')))))
    expect(tree).toEqual(element('table', element('td', element('strong', glued(text('10'), cite('3'))))))
  })

  it('stay as they are in code', () => {
    const tree = element('p', element('code', text('x[^1]')), element('pre', element('code', text('[^2]'))))
    expect(applied(structuredClone(tree))).toEqual(tree)
  })

  it('are only numbers', () => {
    const tree = element('p', text('[^a] [^12345] [1]'))
    expect(applied(structuredClone(tree))).toEqual(tree)
  })

  it('cannot be taken over by a footnote that the answer defines', () => {
    const tree: TreeNode = {
      type: 'root',
      children: [
        { type: 'paragraph', children: [{ type: 'footnoteReference', identifier: '1', label: '1' }] },
        { type: 'footnoteDefinition', identifier: '1', children: [{ type: 'paragraph', children: [text('mine')] }] },
      ],
    }
    remarkLiteralFootnotes()(tree)
    expect(tree.children).toEqual([
      { type: 'paragraph', children: [text('[^1]')] },
      { type: 'paragraph', children: [text('mine')] },
    ])
  })
})

describe('a marker that has only half arrived', () => {
  it.each(['Ten days.[', 'Ten days.[^', 'Ten days.[^1', 'Ten days.[^123'])('is not shown: %s', (half) => {
    expect(hideUnfinishedMarker(half)).toBe('Ten days.')
  })

  it.each(['Ten days.[^1]', 'a[0', 'plain'])('leaves whole text alone: %s', (whole) => {
    expect(hideUnfinishedMarker(whole)).toBe(whole)
  })
})
