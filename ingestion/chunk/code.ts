/**
 * Source code by declaration: a function, method or type is a passage with its comments and decorators; small neighbours and
 * imports share one. What is too large is cut between its members or statements and keeps its head as context. The heading path is
 * the nesting: class > method. Code in a language without a grammar is cut at blank lines before lines that are not indented.
 */
import type { Node, Tree } from '@vscode/tree-sitter-wasm'
import { estimateTokens } from '#lib/shared/text.ts'
import type { ParsedDocument } from '../parse/parsed-document.ts'
import { type Breather, createBreather } from './breather.ts'
import type { ChunkSpan } from './chunk-draft.ts'
import { withSyntaxTree } from './grammars.ts'
import { type Piece, packPieces, pieceOf } from './pack.ts'
import { beginningOf } from './sections.ts'
import type { ChunkSizes } from './sizes.ts'
import { splitOversize } from './split.ts'

/** Code is never nested as deep by people; what is deeper is cut at its lines. */
const depthMax = 40
const nameCharsMax = 80
const headCharsMax = 200
/** A declaration's name stands in so much of its beginning, after its decorators. */
const headWindowChars = 2_000

const declares =
  /(?:declaration|definition|_item|_spec|signature)$|^(?:class|module|method|singleton_method|interface|enum)$/
const variable =
  /^(?:lexical_declaration|variable_declar|const_|var_|field_|property_|let_|public_field|static_item|local_)/
const isFunction = /function|method|constructor|lambda|closure/
const imports =
  /^(?:import|use_|using|package_clause|package_declaration|preproc_include|future_import|namespace_use|extern_crate)/
const leads = /comment|decorator|attribute(?:_item|_list)?$|annotation/

type Part = Piece & {
  /** What it is nested in, its own name last when it is a declaration by itself. */
  path: string[]
  kind: 'declaration' | 'import' | 'other'
}

type Place = {
  start: number
  end: number
  path: string[]
  /** The name that the node around it has taken from it. */
  wrapped: string | null
  depth: number
  inFunction: boolean
}

/** What a declaration is called; null for what has no name of its own. */
const nameOf = (node: Node, depth = 0): string | null => {
  if (depth > 4) return null
  if (node.type === 'impl_item') {
    const [trait, type] = [node.childForFieldName('trait'), node.childForFieldName('type')]
    return type ? beginningOf([trait?.text, type.text].filter(Boolean).join(' for '), nameCharsMax) : null
  }
  const name = node.childForFieldName('name')
  if (name) return beginningOf(name.text.replace(/\s+/g, ' '), nameCharsMax)
  const inner = ['declaration', 'definition', 'declarator'].map((field) => node.childForFieldName(field)).find(Boolean)
  if (inner) return nameOf(inner, depth + 1)
  if (node.type === 'identifier' || node.type === 'field_identifier' || node.type === 'qualified_identifier')
    return beginningOf(node.text, nameCharsMax)
  const only = declares.test(node.type) ? node.namedChildren.filter((child) => child && !leads.test(child.type)) : []
  const [first] = only
  return first && only.length === 1 ? nameOf(first, depth + 1) : null
}

const isDeclaration = (node: Node): boolean =>
  !imports.test(node.type) &&
  (declares.test(node.type) || node.type === 'export_statement' || node.type === 'template_declaration')

/** Its children, with where the stretch of each begins: after the one before it, so that no character is left out. */
const childrenOf = async (node: Node, breathe: Breather): Promise<Node[]> => {
  const cursor = node.walk()
  const children: Node[] = []
  try {
    for (let more = cursor.gotoFirstChild(); more; more = cursor.gotoNextSibling()) {
      children.push(cursor.currentNode)
      await breathe()
    }
  } finally {
    cursor.delete()
  }
  return children
}

const createCutter = (text: string, sizes: ChunkSizes, breathe: Breather) => {
  const parts: Part[] = []
  const sizeOf = (start: number, end: number): number =>
    // Much too large needs no exact count, which would read all of it at every depth.
    end - start > sizes.tokensMax * 8 ? sizes.tokensMax * 2 : estimateTokens(text.slice(start, end))
  /** Where the line of `at` begins; null when something stands before it there. Reads white space only: lines may be endless. */
  const lineStartOf = (at: number): number | null => {
    let start = at
    while (start > 0 && (text[start - 1] === ' ' || text[start - 1] === '\t')) start -= 1
    return start === 0 || text[start - 1] === '\n' ? start : null
  }
  const kindOf = (node: Node, name: string | null): Part['kind'] => {
    if (imports.test(node.type)) return 'import'
    return name !== null && isDeclaration(node) ? 'declaration' : 'other'
  }

  /** Whether a passage must not end between `node` and `next`; `from` is where its stretch began. */
  const goesOn = (from: number, node: Node, next: Node, mute: boolean): boolean => {
    if (mute) return true
    const small = sizeOf(from, node.endIndex) <= sizes.tokensMax / 2
    const sameLine = lineStartOf(next.startIndex) === null
    const lead = leads.test(node.type) && !/\n[ \t]*\n/.test(text.slice(node.endIndex, next.startIndex))
    return small && (sameLine || lead)
  }

  /** The line that names a declaration: what stands above it are its decorators. */
  const headOf = (node: Node, name: string): string => {
    const lines = text.slice(node.startIndex, Math.min(node.endIndex, node.startIndex + headWindowChars)).split('\n')
    const line = lines.find((candidate) => candidate.includes(name)) ?? lines[0] ?? ''
    return beginningOf(line.trim(), headCharsMax)
  }

  /** Adds the parts of `node`, whose stretch is `start` to `end` with what leads up to it. */
  const cut = async (node: Node, { start, end, path, wrapped, depth, inFunction }: Place): Promise<void> => {
    await breathe()
    const named = isDeclaration(node) && !(inFunction && variable.test(node.type)) ? nameOf(node) : null
    // What `export class A` declares has been named by `export`.
    const own = named === null || named === wrapped ? path : [...path, named]
    const tokens = sizeOf(start, end)
    if (tokens <= sizes.tokensMax) {
      parts.push({ start, end, tokens, context: '', path: own, kind: kindOf(node, named) })
      return
    }
    const children = depth < depthMax ? await childrenOf(node, breathe) : []
    const inside: Place = {
      start,
      end,
      path: own,
      wrapped: named !== null && node.childForFieldName('name') === null ? named : null,
      depth: depth + 1,
      inFunction: inFunction || isFunction.test(node.type),
    }
    const from = parts.length
    if (children.length > 0) await cutAll(children, inside)
    else
      for (const part of await splitOversize(text.slice(start, end), sizes.tokensMax))
        parts.push({ ...pieceOf(text, start + part.start, start + part.end), path: own, kind: 'other' })
    if (named === null) return
    // What begins in the middle of a declaration is told what it belongs to.
    const head = headOf(node, named)
    for (const part of parts.slice(from + 1)) part.context ||= part.path.length === own.length ? head : ''
  }

  /** Cuts between `children`; comments and decorators go with what they stand before. */
  const cutAll = async (children: readonly Node[], { start, end, ...inside }: Place): Promise<void> => {
    let from = start
    for (const [at, node] of children.entries()) {
      const next = children[at + 1]
      const to = next ? Math.min(end, Math.max(from, lineStartOf(next.startIndex) ?? next.startIndex)) : end
      // Marks without words, as a bracket, stay with what stood before them.
      const mute = node.endIndex - from < 40 && !/[\p{L}\p{N}]/u.test(text.slice(from, node.endIndex))
      const before = parts.at(-1)
      if (mute && before?.end === from) before.end = to
      else if (to > from && !(next && goesOn(from, node, next, mute)))
        await cut(node, { start: from, end: to, ...inside })
      else continue
      from = to
    }
  }
  return { parts, cutAll }
}

const sharedPath = ([first, ...others]: readonly Part[]): string[] =>
  others.reduce((path, part) => {
    const differs = path.findIndex((name, at) => name !== part.path[at])
    return differs < 0 ? path : path.slice(0, differs)
  }, first?.path ?? [])

/** Passages of parts that may share one, each under what all of its parts are nested in. */
const packParts = (parts: readonly Part[], sizes: ChunkSizes): ChunkSpan[] => {
  let at = 0
  return packPieces(parts, sizes).map(({ start, end, context }) => {
    const from = at
    while ((parts[at]?.start ?? end) < end) at += 1
    return { start, end, headingPath: sharedPath(parts.slice(from, at)), context }
  })
}

/** Whether `part` may share a passage with `before`: imports, small neighbours of one parent, and the rest of one declaration. */
const isAlike = (before: Part, part: Part): boolean => {
  const depth = part.kind === 'declaration' ? -1 : part.path.length
  return before.kind === part.kind && before.path.slice(0, depth).join() === part.path.slice(0, depth).join()
}

/** Passages from parts: a declaration that says enough by itself stands alone. */
const joinParts = async (parts: readonly Part[], sizes: ChunkSizes, breathe: Breather): Promise<ChunkSpan[]> => {
  const enough = sizes.targetTokens / 4
  const spans: ChunkSpan[] = []
  let open: Part[] = []
  let tokens = 0
  const close = (): void => {
    spans.push(...packParts(open, sizes))
    open = []
    tokens = 0
  }
  for (const part of parts) {
    await breathe()
    const before = open.at(-1)
    const apart = part.kind === 'declaration' && part.tokens >= enough
    // A few tokens that name what follows, as the head of a class, are no passage by themselves.
    const heads = before?.path.every((name, at) => name === part.path[at]) && tokens < enough / 3
    const joins = before && (heads ? tokens + part.tokens <= sizes.tokensMax : !apart && isAlike(before, part))
    if (!joins) close()
    else if (heads) open = open.map((head) => ({ ...head, path: part.path }))
    open.push(part)
    tokens += part.tokens
    if (apart) close()
  }
  close()
  return spans
}

const cutTree = async (text: string, tree: Tree, sizes: ChunkSizes): Promise<ChunkSpan[]> => {
  const breathe = createBreather()
  const { parts, cutAll } = createCutter(text, sizes, breathe)
  const children = await childrenOf(tree.rootNode, breathe)
  await cutAll(children, { start: 0, end: text.length, path: [], wrapped: null, depth: 0, inFunction: false })
  return joinParts(parts, sizes, breathe)
}

/** Where a blank line is followed by a line that is not indented. */
const outerBlankLine = /\n[ \t]*\n(?=[^\s})\]])/g

const cutByLines = async (text: string, sizes: ChunkSizes): Promise<ChunkSpan[]> => {
  const breathe = createBreather()
  const pieces: Piece[] = []
  let from = 0
  const add = async (to: number): Promise<void> => {
    await breathe()
    for (const { start, end } of await splitOversize(text.slice(from, to), sizes.tokensMax))
      pieces.push(pieceOf(text, from + start, from + end))
    from = to
  }
  for (const { index, 0: gap } of text.matchAll(outerBlankLine)) await add(index + gap.length)
  await add(text.length)
  return packPieces(pieces, sizes).map(({ start, end }) => ({ start, end, headingPath: [], context: '' }))
}

export const chunkCode = async ({ text, codeLanguage }: ParsedDocument, sizes: ChunkSizes): Promise<ChunkSpan[]> => {
  const spans = codeLanguage
    ? // A grammar that fails on a file must not lose the file: its lines are cut instead.
      await withSyntaxTree(codeLanguage, text, (tree) => cutTree(text, tree, sizes)).catch(() => null)
    : null
  return spans ?? cutByLines(text, sizes)
}
