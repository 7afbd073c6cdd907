/**
 * The words of a PDF page with their place, out of what the page draws. Drawing tells what a list of strings does not: colour,
 * weight and rendering mode, hence what a reader of the page does not see. One pass over the operators; pictures are not decoded.
 */
import type { PDFPageProxy } from 'unpdf/pdfjs'
import { toLogicalOrder } from './pdf-direction.ts'
import {
  type Area,
  areaOf,
  type Box,
  intersection,
  type Matrix,
  matrixOf,
  meets,
  numberOf,
  sizeOf,
  times,
  union,
} from './pdf-geometry.ts'
import { type Colour, colourOf, createGround, type Ground } from './pdf-ground.ts'

/**
 * A run of text on a page: left, top, width and height in points, as its reader sees it who turns the page until the run is
 * upright. `box` is where it stands on the page as it is shown, origin top left.
 */
export type Run = Box & { text: string; upright: boolean; bold: boolean; box: Box }

export type PageRuns = {
  width: number
  height: number
  runs: Run[]
  /** What is drawn but cannot be seen: in the colour of what is below it, off the page, clipped away, below a point, transparent. */
  hidden: Run[]
  /** It draws something that is not text: a picture or lines. */
  hasPicture: boolean
}

/** The numbers of pdf.js's operators, as its `OPS` names them. */
export type Operators = Readonly<Record<string, number>>

type Glyph = { unicode?: unknown; width?: unknown; isSpace?: unknown; vmetric?: unknown }
type Font = { scale: number; bold: boolean; vertical: boolean }
/** What `q` saves and `Q` brings back. */
type State = {
  ctm: Matrix
  clip: Area
  font: Font
  size: number
  charSpacing: number
  wordSpacing: number
  stretch: number
  leading: number
  rise: number
  mode: number
  /** Null for patterns: no one colour. */
  fill: Colour | null
  alpha: number
}

/** A gap wider than this many times the type size is a step to the next cell. */
export const cellGap = 0.8
/** The same when one blank fills it: a line that is set to full width. */
const blankGap = 1.5
/** A gap narrower than this is between letters. */
export const wordGap = 0.12
const readablePointsMin = 1
const alphaMin = 0.05
/** Where something paler than this is painted, what was below still shows. */
const opaqueAlphaMin = 0.5
/** A picture of this share of the page may be a scan with an invisible layer of its words. */
const scanShareMin = 0.25
/** A picture smaller than this, in square points, is a dot. */
const picturePointsMin = 16

/** Rendering modes of text (ISO 32000-1, table 106). */
const fillModes: ReadonlySet<number> = new Set([0, 4])
const invisibleModes: ReadonlySet<number> = new Set([3, 7])

const black: Colour = [0, 0, 0]
const upside: Matrix = [1, 0, 0, 1, 0, 0]
const unitSquare = [0, 0, 1, 1]
const defaultFont: Font = { scale: 0.001, bold: false, vertical: false }

/** Letters of the Symbol and Wingdings fonts that stand for bullets; they have no code of their own. */
const symbolBullets = /[\uf0b7\uf0a7\uf0d8\uf0fc\uf076]/g
/** Letters that are two, units that are letters, and the shapes of Arabic letters in a word. */
const presentationForms = /[\u00b5\u2126\ufb00-\ufb06\ufb1d-\ufdff\ufe70-\ufefc]+/g

const cleaned = (raw: string): string =>
  raw
    .replace(symbolBullets, '•')
    .replace(presentationForms, (letters) => letters.normalize('NFKC'))
    // A soft hyphen shows at a line's end only, and there it divides a word.
    .replace(/\u00ad$/, '-')
    .replace(/[\p{Cc}\p{Cf}]/gu, '')

const fontsOf = (page: PDFPageProxy) => {
  const known = new Map<string, Font>()
  return (name: string): Font => {
    const found = known.get(name)
    if (found) return found
    const data = page.commonObjs.has(name) ? (page.commonObjs.get(name) as Record<string, unknown> | null) : null
    if (!data) return defaultFont
    const [scale] = (Array.isArray(data.fontMatrix) ? data.fontMatrix : []) as unknown[]
    const font: Font = {
      scale: Math.abs(numberOf(scale)) || defaultFont.scale,
      bold: data.bold === true || data.black === true || /bold|black|heavy|semib/i.test(String(data.name ?? '')),
      vertical: data.vertical === true,
    }
    known.set(name, font)
    return font
  }
}

/** Letters that were drawn in one go and stand on one line without a step between them. */
type Stretch = { text: string; from: number; to: number; blankBefore: boolean }

/** Cuts what one operator draws at steps to another cell, and says where in its line of writing each part begins and ends. */
const toStretches = (
  glyphs: readonly unknown[],
  { font, size, charSpacing, wordSpacing }: State,
): { stretches: Stretch[]; end: number; blankAfter: boolean } => {
  const type = Math.abs(size)
  const stretches: Stretch[] = []
  let open: Stretch | null = null
  let position = 0
  let blanks = 0
  for (const item of glyphs) {
    if (typeof item === 'number') {
      position -= (item * size) / 1_000
      continue
    }
    if (!item || typeof item !== 'object') continue
    const glyph = item as Glyph
    const down = font.vertical && Array.isArray(glyph.vmetric) ? Math.abs(numberOf(glyph.vmetric[0])) : null
    const advance = (down ?? numberOf(glyph.width)) * font.scale * size
    const letter = typeof glyph.unicode === 'string' ? glyph.unicode : ''
    if (letter.trim()) {
      const gap: number = open ? Math.abs(position - open.to) : 0
      if (!open || gap > type * (blanks === 1 ? blankGap : cellGap)) {
        open = { text: '', from: position, to: position, blankBefore: blanks > 0 }
        stretches.push(open)
      } else if (blanks > 0 || gap > type * wordGap) open.text += ' '
      open.text += letter
      blanks = 0
      // Letters that are spaced out are one word.
      open.to = position + advance + (Math.abs(charSpacing) < type * cellGap ? charSpacing : 0)
    } else if (letter) blanks += 1
    position += advance + charSpacing + (glyph.isSpace === true ? wordSpacing : 0)
  }
  return { stretches, end: position, blankAfter: blanks > 0 }
}

/** Direction of writing on the shown page. */
type Direction = { x: number; y: number }

/** Where a stretch stands that begins at `start`, in text space. */
const runAt = (
  { text, from, to }: Stretch,
  start: { x: number; y: number },
  matrix: Matrix,
  { font, size, rise, stretch }: State,
): { run: Run; direction: Direction } => {
  const step = font.vertical ? { x: 0, y: -1 } : { x: stretch, y: 0 }
  const sign = size < 0 ? -1 : 1
  const along = {
    x: (matrix[0] * step.x + matrix[2] * step.y) * sign,
    y: (matrix[1] * step.x + matrix[3] * step.y) * sign,
  }
  const scale = Math.hypot(along.x, along.y) || 1
  const u = { x: along.x / scale, y: along.y / scale }
  const height = Math.abs(size) * (Math.hypot(matrix[2], matrix[3]) || scale)
  const width = Math.max(0, (to - from) * sign * scale)
  const origin = font.vertical ? { x: start.x, y: start.y - from } : { x: start.x + from * stretch, y: start.y + rise }
  const baseline = {
    x: matrix[0] * origin.x + matrix[2] * origin.y + matrix[4],
    y: matrix[1] * origin.x + matrix[3] * origin.y + matrix[5],
  }
  const lift = height * 0.8
  const corner = { x: baseline.x + u.y * lift, y: baseline.y - u.x * lift }
  const across = { x: u.x * width - u.y * height, y: u.y * width + u.x * height }
  return {
    direction: u,
    run: {
      text,
      upright: u.x > 0.99,
      bold: font.bold,
      x: baseline.x * u.x + baseline.y * u.y,
      y: baseline.y * u.x - baseline.x * u.y - lift,
      width,
      height,
      box: {
        x: Math.min(corner.x, corner.x + across.x),
        y: Math.min(corner.y, corner.y + across.y),
        width: Math.abs(across.x),
        height: Math.abs(across.y),
      },
    },
  }
}

type Drawn = { run: Run; direction: Direction; isHidden: boolean; isInvisible: boolean; blankAfter: boolean }

/** Adds what was drawn; what goes on where the last run ended becomes part of it. */
const append = (drawn: Drawn[], next: Drawn, blankBefore: boolean): void => {
  const last = drawn.at(-1)
  const { run } = next
  const isAlike =
    last &&
    last.isHidden === next.isHidden &&
    last.isInvisible === next.isInvisible &&
    last.direction.x * next.direction.x + last.direction.y * next.direction.y > 0.999 &&
    Math.abs(last.run.y - run.y) < run.height * 0.1 &&
    Math.abs(last.run.height - run.height) < run.height * 0.05
  if (!isAlike) {
    drawn.push(next)
    return
  }
  // Drawn twice, a hair apart: another way to write in bold.
  if (last.run.text === run.text && Math.abs(last.run.x - run.x) < run.height * 0.15) {
    last.run.bold = true
    return
  }
  const gap = run.x - (last.run.x + last.run.width)
  if (last.run.bold !== run.bold || gap < -run.height * 0.3 || gap >= run.height * cellGap) {
    drawn.push(next)
    return
  }
  const isApart = last.blankAfter || blankBefore || gap > run.height * wordGap
  last.run.text += isApart && !last.run.text.endsWith(' ') ? ` ${run.text}` : run.text
  last.run.width = run.x + run.width - last.run.x
  last.run.box = union(last.run.box, run.box)
  last.blankAfter = false
}

/** Follows the operators of a page. `handle` takes one operator, its arguments and the operator after it. */
const createPen = (
  OPS: Operators,
  page: { width: number; height: number; ctm: Matrix },
  fontOf: (name: string) => Font,
) => {
  const ground: Ground = createGround()
  const drawn: Drawn[] = []
  const saved: State[] = []
  let state: State = {
    ctm: page.ctm,
    clip: { left: 0, top: 0, right: page.width, bottom: page.height },
    font: defaultFont,
    size: 0,
    charSpacing: 0,
    wordSpacing: 0,
    stretch: 1,
    leading: 0,
    rise: 0,
    mode: 0,
    fill: black,
    alpha: 1,
  }
  let textMatrix = upside
  let at = { x: 0, y: 0 }
  let line = { x: 0, y: 0 }
  let clipsNext = false
  let hasPicture = false
  let hasScan = false

  const set = <Key extends keyof State>(key: Key, value: State[Key]): void => {
    state[key] = value
  }
  const save = (): void => {
    saved.push(state)
    state = { ...state }
  }
  const restore = (): void => {
    state = saved.pop() ?? state
  }
  const setFont = (name: unknown, size: unknown): void => {
    set('font', fontOf(String(name)))
    set('size', numberOf(size))
  }
  const beginLines = (matrix: Matrix): void => {
    textMatrix = matrix
    at = { x: 0, y: 0 }
    line = at
  }
  const moveLine = (x: number, y: number): void => {
    line = { x: line.x + x, y: line.y + y }
    at = line
  }

  const isHidden = ({ height, box }: Run): boolean =>
    height < readablePointsMin ||
    state.alpha < alphaMin ||
    !meets(box, state.clip) ||
    (fillModes.has(state.mode) && state.fill !== null && ground.swallows(state.fill, box))

  const show = (glyphs: readonly unknown[]): void => {
    const matrix = times(state.ctm, textMatrix)
    const { stretches, end, blankAfter } = toStretches(glyphs, state)
    for (const stretch of stretches) {
      const { run, direction } = runAt(stretch, at, matrix, state)
      const isInvisible = invisibleModes.has(state.mode)
      append(drawn, { run, direction, isHidden: isHidden(run), isInvisible, blankAfter: false }, stretch.blankBefore)
    }
    const last = drawn.at(-1)
    if (last && blankAfter) last.blankAfter = true
    at = state.font.vertical ? { x: at.x, y: at.y - end } : { x: at.x + end * state.stretch, y: at.y }
  }

  const paintPath = ([operator, , bounds]: readonly unknown[]): void => {
    const whole = areaOf(state.ctm, bounds)
    if (!whole) return
    const area = intersection(whole, state.clip)
    if (clipsNext) set('clip', area)
    clipsNext = false
    if (operator === OPS.endPath) return
    hasPicture = true
    const isFilled = operator !== OPS.stroke && operator !== OPS.closeStroke
    if (isFilled && state.alpha > opaqueAlphaMin) ground.paint(area, state.fill)
  }

  /** What is scaled to a picture's size and then left is a picture: they were taken out before they would have been decoded. */
  const placePicture = (next: number | undefined): void => {
    const whole = areaOf(state.ctm, unitSquare)
    const area = whole && intersection(whole, state.clip)
    if (!area || sizeOf(area) < picturePointsMin) return
    const isLarge = sizeOf(area) >= page.width * page.height * scanShareMin
    if (isLarge) hasScan = true
    if (!isLarge && next !== undefined && next !== OPS.restore && next !== OPS.save) return
    hasPicture = true
    ground.paint(area, null)
  }

  const beginForm = ([matrix, bounds]: readonly unknown[]): void => {
    save()
    const own = matrixOf(matrix)
    if (own) set('ctm', times(state.ctm, own))
    const area = areaOf(state.ctm, bounds)
    if (area) set('clip', intersection(state.clip, area))
  }

  const changeState = ([changes]: readonly unknown[]): void => {
    for (const [key, value] of Array.isArray(changes) ? (changes as [unknown, unknown][]) : []) {
      if (key === 'ca') set('alpha', numberOf(value))
      if (key === 'Font' && Array.isArray(value)) setFont(value[0], value[1])
    }
  }

  const clipToNext = (): void => {
    clipsNext = true
  }

  const handlers = new Map<number | undefined, (args: readonly unknown[], next: number | undefined) => void>([
    [OPS.save, save],
    [OPS.restore, restore],
    [
      OPS.transform,
      (args, next) => {
        set('ctm', times(state.ctm, matrixOf(args) ?? upside))
        placePicture(next)
      },
    ],
    [OPS.paintFormXObjectBegin, beginForm],
    [OPS.paintFormXObjectEnd, restore],
    [OPS.beginText, () => beginLines(upside)],
    [OPS.setTextMatrix, (args) => beginLines(matrixOf(args) ?? upside)],
    [OPS.setFont, ([name, size]) => setFont(name, size)],
    [OPS.setCharSpacing, ([value]) => set('charSpacing', numberOf(value))],
    [OPS.setWordSpacing, ([value]) => set('wordSpacing', numberOf(value))],
    [OPS.setHScale, ([value]) => set('stretch', numberOf(value) / 100 || 1)],
    [OPS.setLeading, ([value]) => set('leading', numberOf(value))],
    [OPS.setTextRise, ([value]) => set('rise', numberOf(value))],
    [OPS.setTextRenderingMode, ([value]) => set('mode', numberOf(value))],
    [OPS.moveText, ([x, y]) => moveLine(numberOf(x), numberOf(y))],
    [
      OPS.setLeadingMoveText,
      ([x, y]) => {
        set('leading', -numberOf(y))
        moveLine(numberOf(x), numberOf(y))
      },
    ],
    [OPS.nextLine, () => moveLine(0, -state.leading)],
    [OPS.showText, ([glyphs]) => show(Array.isArray(glyphs) ? glyphs : [])],
    [OPS.setFillRGBColor, ([colour]) => set('fill', colourOf(colour))],
    [OPS.setFillColorN, () => set('fill', null)],
    [OPS.setGState, changeState],
    [OPS.clip, clipToNext],
    [OPS.eoClip, clipToNext],
    [OPS.constructPath, paintPath],
    [
      OPS.shadingFill,
      () => {
        hasPicture = true
        ground.paint(state.clip, null)
      },
    ],
  ])
  // Should pdf.js rename an operator, none is taken for it.
  handlers.delete(undefined)
  return {
    handle: (operator: number, args: readonly unknown[], next: number | undefined): void =>
      handlers.get(operator)?.(args, next),
    finish: () => ({ drawn, hasPicture, hasScan }),
  }
}

/** Reads one page. Time and memory grow with what the page draws. */
export const readRuns = async (page: PDFPageProxy, OPS: Operators): Promise<PageRuns> => {
  const { width, height, transform } = page.getViewport({ scale: 1 })
  // 0: without annotations, whose words are remarks about the page.
  const { fnArray, argsArray } = await page.getOperatorList({ annotationMode: 0 })
  const pen = createPen(OPS, { width, height, ctm: matrixOf(transform) ?? [1, 0, 0, -1, 0, height] }, fontsOf(page))
  fnArray.forEach((operator, index) => {
    pen.handle(operator, (argsArray[index] as readonly unknown[] | null) ?? [], fnArray[index + 1])
  })
  page.cleanup()
  const { drawn, hasPicture, hasScan } = pen.finish()
  const runs: Run[] = []
  const hidden: Run[] = []
  for (const { run, isInvisible, isHidden } of drawn) {
    const text = cleaned(toLogicalOrder(run.text))
    if (!text.trim()) continue
    // An invisible layer over a scan is what the scan says. A hidden dash is how tables are padded.
    if (!isHidden && (!isInvisible || hasScan)) runs.push({ ...run, text })
    else if (/[\p{L}\p{N}]/u.test(text)) hidden.push({ ...run, text })
  }
  return { width, height, runs, hidden, hasPicture }
}
