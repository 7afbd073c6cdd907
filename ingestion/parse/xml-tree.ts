/**
 * XML as a tree that keeps the order of text and elements. Entities that a document declares are never expanded and nothing it
 * points at is loaded: only the five names of XML and character numbers are decoded.
 */
import { XMLParser } from 'fast-xml-parser'
import { cleanText } from './clean-text.ts'
import { Refusal } from './refusal.ts'

/** Elements are named without their prefix; attributes keep theirs, because `id` and `r:id` are two things. */
export type XmlNode = {
  readonly name: string
  readonly attributes: Readonly<Record<string, string>>
  readonly children: readonly (XmlNode | string)[]
}

/** Documents are not nested deeper; what walks a tree may recurse. */
const depthMax = 250

/** Before every name, so that none is that of a property which all objects have: the parser refuses `<constructor>`. */
const mark = 'x:'

const parser = new XMLParser({
  preserveOrder: true,
  ignoreAttributes: false,
  attributeNamePrefix: mark,
  transformTagName: (name) => mark + name,
  cdataPropName: '#cdata',
  parseTagValue: false,
  parseAttributeValue: false,
  trimValues: false,
  processEntities: false,
  ignoreDeclaration: true,
  ignorePiTags: true,
  maxNestedTags: depthMax,
  jPath: false,
})

const named: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" }

const decodeEntities = (raw: string): string =>
  cleanText(
    raw.includes('&')
      ? raw.replace(/&(?:#(\d{1,7})|#x([\da-f]{1,6})|(lt|gt|amp|quot|apos));/gi, (whole, decimal, hex, name) => {
          if (name) return named[String(name).toLowerCase()] ?? whole
          const code = hex ? Number.parseInt(hex, 16) : Number(decimal)
          return code <= 0x10ffff ? String.fromCodePoint(code) : ''
        })
      : raw,
  )

type RawNode = Record<string, unknown>

const tagOf = (raw: RawNode): string => {
  for (const key in raw) if (key !== ':@') return key
  return ''
}

const attributesOf = (raw: RawNode): Record<string, string> => {
  const attributes = (raw[':@'] ?? {}) as Record<string, string>
  const decoded: Record<string, string> = Object.create(null)
  for (const name in attributes) decoded[name.slice(mark.length)] = decodeEntities(attributes[name] ?? '')
  return decoded
}

/** Turns the parser's tree into ours in place, level by level: two trees of a large file would not fit into the cage. */
const convert = (raw: RawNode): XmlNode | string => {
  if (typeof raw['#text'] === 'string') return decodeEntities(raw['#text'])
  const tag = tagOf(raw)
  const children = (Array.isArray(raw[tag]) ? raw[tag] : []) as unknown[]
  if (tag === '#cdata') {
    const [verbatim] = children as RawNode[]
    return cleanText(String(verbatim?.['#text'] ?? ''))
  }
  for (let at = 0; at < children.length; at += 1) children[at] = convert(children[at] as RawNode)
  return {
    name: tag.slice(tag.lastIndexOf(':') + 1),
    attributes: attributesOf(raw),
    children: children as (XmlNode | string)[],
  }
}

/** The root element. Throws `Refusal`: `wrong-type` (entities of its own, no element), `too-nested`, `damaged`. */
export const parseXmlTree = (source: string): XmlNode => {
  const prologue = source.slice(0, Math.max(0, source.search(/<[^!?\s]/)))
  // They could not be expanded anyway; a document that needs them would lose words without a sign.
  if (/<!ENTITY/i.test(prologue)) throw new Refusal('wrong-type', 'a DOCTYPE with entities')
  let raw: RawNode[]
  try {
    raw = parser.parse(source) as RawNode[]
  } catch (error) {
    const detail = error instanceof Error ? error.message : 'not XML'
    throw new Refusal(/nested tags/i.test(detail) ? 'too-nested' : 'damaged', detail)
  }
  const root = raw.map(convert).find((node) => typeof node !== 'string')
  if (root === undefined || typeof root === 'string') throw new Refusal('wrong-type', 'no XML element')
  return root
}

/** The elements directly in `node`, all or those of one name. */
export const elementsOf = (node: XmlNode | undefined, name?: string): XmlNode[] =>
  (node?.children ?? []).filter(
    (child): child is XmlNode => typeof child !== 'string' && (name === undefined || child.name === name),
  )

/** The first element along a path of names. */
export const elementAt = (node: XmlNode | undefined, ...path: readonly string[]): XmlNode | undefined =>
  path.reduce<XmlNode | undefined>((at, name) => elementsOf(at, name)[0], node)

/** Every element of that name below `node`, in the order of the document. */
export const elementsBelow = (node: XmlNode | undefined, name: string): XmlNode[] =>
  elementsOf(node).flatMap((child) => [...(child.name === name ? [child] : []), ...elementsBelow(child, name)])

/** All text below `node`, as it stands. */
export const textOf = (node: XmlNode | string | undefined): string =>
  node === undefined ? '' : typeof node === 'string' ? node : node.children.map(textOf).join('')
