/** Where the things of a neighbourhood stand in the drawing: the same every time. Pure. */
import type { GraphNeighbourhood } from '#lib/shared/graph-contract.ts'

export const drawing = { width: 840, height: 480 }
const radius = { x: 220, y: 185 }
/** With more than this on one ring, names run into each other; every second one moves inwards. */
const oneRing = 12
const inner = 0.62

export type PlacedThing = {
  id: string
  x: number
  y: number /** On which side of it its name stands. */
  side: 'left' | 'right' | 'below'
}

/** Neighbours in an order that keeps those side by side that stand in a relation: each next to the last one where it can be. */
const arrange = ({ neighbours, edges }: Pick<GraphNeighbourhood, 'neighbours' | 'edges'>): string[] => {
  const near = new Map<string, Set<string>>()
  for (const { between } of edges)
    for (const [one, other] of [between, [between[1], between[0]] as const])
      near.set(one, (near.get(one) ?? new Set()).add(other))
  const left = neighbours.map(({ id }) => id)
  const order: string[] = []
  while (left.length > 0) {
    const last = order.at(-1)
    const next =
      last === undefined
        ? 0
        : Math.max(
            0,
            left.findIndex((id) => near.get(last)?.has(id)),
          )
    order.push(...left.splice(next, 1))
  }
  return order
}

/** The centre in the middle, its neighbours round it, beginning at the top and going round by the clock. */
export const layOut = (
  around: Pick<GraphNeighbourhood, 'centre' | 'neighbours' | 'edges'>,
): Map<string, PlacedThing> => {
  const [x, y] = [drawing.width / 2, drawing.height / 2]
  const order = arrange(around)
  const placed = new Map<string, PlacedThing>([[around.centre.id, { id: around.centre.id, x, y, side: 'below' }]])
  for (const [at, id] of order.entries()) {
    const angle = (at / order.length) * 2 * Math.PI - Math.PI / 2
    const share = order.length > oneRing && at % 2 === 1 ? inner : 1
    const across = Math.cos(angle)
    placed.set(id, {
      id,
      x: Math.round(x + across * radius.x * share),
      y: Math.round(y + Math.sin(angle) * radius.y * share),
      side: Math.abs(across) < 0.2 ? 'below' : across < 0 ? 'left' : 'right',
    })
  }
  return placed
}
