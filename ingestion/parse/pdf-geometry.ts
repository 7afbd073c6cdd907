/** Matrices, boxes and areas of a PDF page. Points; the origin is the top left of the page as it is shown. */

export type Matrix = readonly [a: number, b: number, c: number, d: number, e: number, f: number]
export type Box = { x: number; y: number; width: number; height: number }
export type Area = { left: number; top: number; right: number; bottom: number }

export const numberOf = (value: unknown): number => (typeof value === 'number' && Number.isFinite(value) ? value : 0)

/** Six numbers, as arguments or as the one argument; null when they are not there. */
export const matrixOf = (args: unknown): Matrix | null => {
  const values = args as ArrayLike<unknown> | null
  const list = values?.length === 1 ? (values[0] as ArrayLike<unknown> | null) : values
  if (!list || typeof list !== 'object' || list.length < 6) return null
  return [
    numberOf(list[0]),
    numberOf(list[1]),
    numberOf(list[2]),
    numberOf(list[3]),
    numberOf(list[4]),
    numberOf(list[5]),
  ]
}

export const times = (a: Matrix, b: Matrix): Matrix => [
  a[0] * b[0] + a[2] * b[1],
  a[1] * b[0] + a[3] * b[1],
  a[0] * b[2] + a[2] * b[3],
  a[1] * b[2] + a[3] * b[3],
  a[0] * b[4] + a[2] * b[5] + a[4],
  a[1] * b[4] + a[3] * b[5] + a[5],
]

/** Where two corners of user space, as four numbers, stand on the page; null when they are not there. Asked for every line drawn. */
export const areaOf = (m: Matrix, corners: unknown): Area | null => {
  if (!(Array.isArray(corners) || ArrayBuffer.isView(corners))) return null
  const list = corners as ArrayLike<unknown>
  if (list.length < 4) return null
  const x0 = numberOf(list[0])
  const y0 = numberOf(list[1])
  const x1 = numberOf(list[2])
  const y1 = numberOf(list[3])
  return {
    left: Math.min(m[0] * x0, m[0] * x1) + Math.min(m[2] * y0, m[2] * y1) + m[4],
    right: Math.max(m[0] * x0, m[0] * x1) + Math.max(m[2] * y0, m[2] * y1) + m[4],
    top: Math.min(m[1] * x0, m[1] * x1) + Math.min(m[3] * y0, m[3] * y1) + m[5],
    bottom: Math.max(m[1] * x0, m[1] * x1) + Math.max(m[3] * y0, m[3] * y1) + m[5],
  }
}

export const intersection = (one: Area, other: Area): Area => ({
  left: Math.max(one.left, other.left),
  top: Math.max(one.top, other.top),
  right: Math.min(one.right, other.right),
  bottom: Math.min(one.bottom, other.bottom),
})

export const sizeOf = ({ left, top, right, bottom }: Area): number =>
  Math.max(0, right - left) * Math.max(0, bottom - top)

export const meets = ({ x, y, width, height }: Box, area: Area): boolean =>
  x < area.right && x + width > area.left && y < area.bottom && y + height > area.top

/** The smallest box around two. */
export const union = (one: Box, other: Box): Box => {
  const x = Math.min(one.x, other.x)
  const y = Math.min(one.y, other.y)
  return {
    x,
    y,
    width: Math.max(one.x + one.width, other.x + other.width) - x,
    height: Math.max(one.y + one.height, other.y + other.height) - y,
  }
}
