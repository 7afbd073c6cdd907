/** What is painted below the words of a page, to tell words that have its colour. */
import type { Area, Box } from './pdf-geometry.ts'

export type Colour = readonly [red: number, green: number, blue: number]

/** Colours closer than this, in each of red, green and blue out of 255, are one to the eye. */
const colourStep = 16
/** Smaller things are lines and dots, not ground under words. */
const groundPointsMin = 4
/** A page of more painted stretches than this is a drawing; the oldest are forgotten. */
const groundsMax = 4_000

const white: Colour = [255, 255, 255]

/** Of `#028da3`; null for anything else. */
export const colourOf = (value: unknown): Colour | null => {
  const [, red, green, blue] = /^#([\da-f]{2})([\da-f]{2})([\da-f]{2})$/i.exec(String(value)) ?? []
  return red && green && blue ? [Number.parseInt(red, 16), Number.parseInt(green, 16), Number.parseInt(blue, 16)] : null
}

const looksLike = (one: Colour, other: Colour): boolean =>
  one.every((part, index) => Math.abs(part - (other[index] ?? 0)) < colourStep)

export type Ground = {
  /** Paints a stretch over what was there before; null for what has no one colour, as a picture. */
  paint(area: Area, colour: Colour | null): void
  /** Whether words of this colour in the middle of this box would not be seen. */
  swallows(colour: Colour, box: Box): boolean
}

/** White paper. */
export const createGround = (): Ground => {
  const painted: { area: Area; colour: Colour | null }[] = []
  const colours = new Map<string, Colour>()
  return {
    paint: (area, colour) => {
      if (area.right - area.left < groundPointsMin || area.bottom - area.top < groundPointsMin) return
      if (painted.length >= groundsMax) painted.splice(0, groundsMax / 2)
      painted.push({ area, colour })
      if (colour) colours.set(colour.join(), colour)
    },
    swallows: (colour, { x, y, width, height }) => {
      const onPaper = looksLike(colour, white)
      if (!onPaper && ![...colours.values()].some((one) => looksLike(one, colour))) return false
      const centre = { x: x + width / 2, y: y + height / 2 }
      const below = painted.findLast(
        ({ area }) =>
          centre.x >= area.left && centre.x <= area.right && centre.y >= area.top && centre.y <= area.bottom,
      )
      return below ? below.colour !== null && looksLike(colour, below.colour) : onPaper
    },
  }
}
