'use client'
import type { ComponentProps, ReactNode } from 'react'
import { memo } from 'react'
import { harden } from 'rehype-harden'
import {
  type Components,
  defaultRehypePlugins,
  defaultRemarkPlugins,
  parseMarkdownIntoBlocks,
  Streamdown,
} from 'streamdown'
import { CitationChip } from './citation-chip.tsx'
import { hideUnfinishedMarker, rehypeCitations, remarkLiteralFootnotes } from './citation-markers.ts'
import { rehypeValidNesting } from './valid-nesting.ts'

/** Stands for "here": only links to this site survive, and only as paths. */
const here = 'https://here.invalid'

const rehypePlugins: NonNullable<ComponentProps<typeof Streamdown>['rehypePlugins']> = [
  // Each is a plug-in with its settings: spread them one level too far and the settings are lost.
  ...[defaultRehypePlugins.raw, defaultRehypePlugins.sanitize].filter((plugin) => plugin !== undefined),
  [
    harden,
    {
      defaultOrigin: here,
      allowedLinkPrefixes: [here],
      allowedImagePrefixes: [],
      allowDataImages: false,
      allowedProtocols: [],
      linkBlockPolicy: 'text-only',
      imageBlockPolicy: 'remove',
    },
  ],
  rehypeValidNesting,
  rehypeCitations,
]
const remarkPlugins = [...Object.values(defaultRemarkPlugins), remarkLiteralFootnotes]

const Link = ({ href, children }: ComponentProps<'a'>) =>
  href?.startsWith('/') && !href.startsWith('//') ? <a href={href}>{children}</a> : <span>{children}</span>

const ScrollingTable = ({ children }: Children) => (
  // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard
  <div tabIndex={0} className="table-scroll">
    <table>{children}</table>
  </div>
)

type Children = { children?: ReactNode }

/** The question is the heading above; the answer's own headings come below it. */
const components = {
  cite: (props: { 'data-ordinal'?: string }) => <CitationChip ordinal={Number(props['data-ordinal'])} />,
  a: Link,
  h1: ({ children }: Children) => <h3>{children}</h3>,
  h2: ({ children }: Children) => <h3>{children}</h3>,
  h3: ({ children }: Children) => <h4>{children}</h4>,
  h4: ({ children }: Children) => <h4>{children}</h4>,
  h5: ({ children }: Children) => <h5>{children}</h5>,
  h6: ({ children }: Children) => <h6>{children}</h6>,
  p: ({ children }: Children) => <p>{children}</p>,
  ul: ({ children }: Children) => <ul>{children}</ul>,
  ol: ({ children, start }: ComponentProps<'ol'>) => <ol start={start}>{children}</ol>,
  li: ({ children }: Children) => <li>{children}</li>,
  strong: ({ children }: Children) => <strong>{children}</strong>,
  blockquote: ({ children }: Children) => <blockquote>{children}</blockquote>,
  hr: () => <hr />,
  table: ({ children }: Children) => <ScrollingTable>{children}</ScrollingTable>,
  thead: ({ children }: Children) => <thead>{children}</thead>,
  tbody: ({ children }: Children) => <tbody>{children}</tbody>,
  tr: ({ children }: Children) => <tr>{children}</tr>,
  th: ({ children }: Children) => <th scope="col">{children}</th>,
  td: ({ children }: Children) => <td>{children}</td>,
  inlineCode: ({ children }: Children) => <code>{children}</code>,
  img: () => null,
} as Components

/** A marker looks like a footnote, and a text with footnotes would be parsed as one block again with every token. */
const bracket = '[^'
const stand = '[\uE000'
const blocksOf = (markdown: string): string[] =>
  parseMarkdownIntoBlocks(markdown.replaceAll(bracket, stand)).map((block) => block.replaceAll(stand, bracket))

/** An answer's markdown as prose: no images, no links that leave, no raw HTML beyond the plainest, chips for markers. */
export const AnswerText = memo(({ text, streaming }: { text: string; streaming: boolean }) => (
  <Streamdown
    className={streaming ? 'answer answer-streaming' : 'answer'}
    dir="auto"
    mode="streaming"
    isAnimating={streaming}
    parseMarkdownIntoBlocksFn={blocksOf}
    rehypePlugins={rehypePlugins}
    remarkPlugins={remarkPlugins}
    components={components}
    disallowedElements={['img', 'picture', 'source']}
    controls={{ table: false, code: { copy: true, download: false }, mermaid: false, image: false }}
    lineNumbers={false}
    linkSafety={{ enabled: false }}
  >
    {streaming ? hideUnfinishedMarker(text) : text}
  </Streamdown>
))
AnswerText.displayName = 'AnswerText'
