'use client'
/**
 * What a person has marked in an answer or a source, and the two ways to have it summarised: a button at the selection for the
 * pointer, and one among the actions of the marked text for the keyboard.
 */
import { ScrollText } from 'lucide-react'
import { createContext, type MouseEvent, useContext, useEffect, useState } from 'react'
import { Button } from '#components/ui/button.tsx'
import { createStore, type Store, useStore } from './store.ts'

/** Shorter ones are marked to be copied, not to be shortened. */
const markedCharsMin = 100
/** After the last change: a selection that is still being drawn is left alone. */
const settledMs = 250

export type MarkedText = {
  /** What it is part of: a message's id, or the source panel. */
  owner: string
  title: string
  text: string
  range: Range
}

type MarkedState = { marked: Store<MarkedText | null>; summarise: (marked: MarkedText, opener: HTMLElement) => void }

export const MarkedTextContext = createContext<MarkedState>({
  marked: createStore<MarkedText | null>(null),
  summarise: () => undefined,
})

/** Put on what can be marked: who it belongs to and the title under which it is summarised. */
export const markable = (owner: string, title: string) => ({ 'data-markable': owner, 'data-markable-title': title })

const markableOf = (node: Node | null): HTMLElement | null =>
  (node instanceof Element ? node : (node?.parentElement ?? null))?.closest<HTMLElement>('[data-markable]') ?? null

/** The words of a range without the numbers of citations; blocks stand on lines of their own. */
const wordsOf = (range: Range): string => {
  const holder = document.createElement('div')
  holder.append(range.cloneContents())
  for (const control of holder.querySelectorAll('button, [aria-hidden="true"]')) control.remove()
  for (const end of holder.querySelectorAll('br')) end.replaceWith('\n')
  for (const block of holder.querySelectorAll('p, li, h1, h2, h3, h4, h5, h6, tr, pre')) block.append('\n')
  for (const cell of holder.querySelectorAll('td, th')) cell.append(' ')
  return (holder.textContent ?? '').replace(/[^\S\n]+/g, ' ').trim()
}

const readSelection = (): MarkedText | null => {
  const selection = document.getSelection()
  if (!selection || selection.isCollapsed || selection.rangeCount === 0) return null
  const range = selection.getRangeAt(0)
  const from = markableOf(range.startContainer)
  // A selection that runs out of the text by its last line break is still one of that text.
  const to = markableOf(range.endOffset === 0 ? range.commonAncestorContainer : range.endContainer)
  if (!from || (to && to !== from)) return null
  if (!to) range.setEndAfter(from.lastChild ?? from)
  const text = wordsOf(range)
  if (text.length < markedCharsMin) return null
  const { markable: owner = '', markableTitle: title = '' } = from.dataset
  return { owner, title, text, range }
}

/** The marked text of this page, kept up to date. */
export const useMarkedText = (): Store<MarkedText | null> => {
  const [marked] = useState(() => createStore<MarkedText | null>(null))
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined
    const look = (): void => {
      clearTimeout(timer)
      timer = setTimeout(() => marked.set(readSelection()), settledMs)
    }
    document.addEventListener('selectionchange', look)
    return () => {
      clearTimeout(timer)
      document.removeEventListener('selectionchange', look)
    }
  }, [marked])
  return marked
}

/** Pressing a button takes the selection away before it is clicked. */
const keepSelection = (event: MouseEvent): void => event.preventDefault()

/** Among the actions of a text, while a part of it is marked. */
export const SummariseMarked = ({ owner }: { owner: string }) => {
  const { marked, summarise } = useContext(MarkedTextContext)
  const now = useStore(marked)
  if (now?.owner !== owner) return null
  return (
    <Button
      variant="quiet"
      size="sm"
      onMouseDown={keepSelection}
      onClick={(event) => summarise(now, event.currentTarget)}
    >
      <ScrollText />
      Summarise the selection
    </Button>
  )
}

const gapPx = 8
const buttonPx = { width: 124, height: 36 }

const placeBelow = (range: Range): { left: number; top: number } | null => {
  const box = range.getBoundingClientRect()
  if (box.bottom < 0 || box.top > window.innerHeight) return null
  const within = (value: number, max: number): number => Math.max(gapPx, Math.min(value, max - gapPx))
  return {
    left: within(box.left + box.width / 2 - buttonPx.width / 2, window.innerWidth - buttonPx.width),
    top: within(box.bottom + gapPx, window.innerHeight - buttonPx.height),
  }
}

/** The small button at the selection. Those who do not point find the same among the actions of the text. */
export const MarkedTextButton = () => {
  const { marked, summarise } = useContext(MarkedTextContext)
  const now = useStore(marked)
  const [place, setPlace] = useState<ReturnType<typeof placeBelow>>(null)
  useEffect(() => {
    if (!now) return setPlace(null)
    const follow = (): void => setPlace(placeBelow(now.range))
    follow()
    window.addEventListener('scroll', follow, { capture: true, passive: true })
    window.addEventListener('resize', follow)
    return () => {
      window.removeEventListener('scroll', follow, { capture: true })
      window.removeEventListener('resize', follow)
    }
  }, [now])
  if (!now || !place) return null
  return (
    <Button
      size="sm"
      tabIndex={-1}
      aria-hidden
      data-marked-button
      className="appear fixed z-[60] shadow-float"
      style={place}
      onMouseDown={keepSelection}
      onClick={(event) => summarise(now, event.currentTarget)}
    >
      <ScrollText />
      Summarise
    </Button>
  )
}
