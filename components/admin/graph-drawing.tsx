import type { Route } from 'next'
import Link from 'next/link'
import { cn } from '#lib/shared/cn.ts'
import {
  type GraphEdge,
  type GraphEntity,
  type GraphNeighbourhood,
  togetherPredicate,
} from '#lib/shared/graph-contract.ts'
import { truncate } from '#lib/shared/text.ts'
import { KindMark, KindShape, kindWords } from './graph-kinds.tsx'
import { drawing, layOut, type PlacedThing } from './graph-layout.ts'

const labelChars = 22
const labelAt = {
  left: { x: -17, y: 4, anchor: 'end' },
  right: { x: 17, y: 4, anchor: 'start' },
  below: { x: 0, y: 27, anchor: 'middle' },
} as const

export const thingHref = (id: string): Route => `/admin/graph?thing=${id}` as Route
/** Sources of an edge, beside the thing that is looked at. */
export const edgeHref = (centreId: string, [one, other]: GraphEdge['between']): Route =>
  `/admin/graph?thing=${centreId}&edge=${one}-${other}#said` as Route

export const passagesWords = (count: number): string => `${count} ${count === 1 ? 'passage' : 'passages'}`

/** What is said of two things, as sentences that begin with one of them. */
export const edgeSentences = ({ said }: Pick<GraphEdge, 'said'>, nameOf: (id: string) => string): string[] =>
  said.map(({ fromId, toId, predicate }) =>
    predicate === togetherPredicate
      ? `${nameOf(fromId)} stands in one sentence with ${nameOf(toId)}`
      : `${nameOf(fromId)} ${predicate} ${nameOf(toId)}`,
  )

type EdgeProps = {
  edge: GraphEdge
  from: PlacedThing
  to: PlacedThing
  centreId: string
  chosen: boolean
  label: string
}

const Edge = ({ edge, from, to, centreId, chosen, label }: EdgeProps) => {
  const line = { x1: from.x, y1: from.y, x2: to.x, y2: to.y }
  const together = edge.said.every(({ predicate }) => predicate === togetherPredicate)
  return (
    <Link
      href={edgeHref(centreId, edge.between)}
      prefetch={false}
      aria-label={label}
      aria-current={chosen ? 'true' : undefined}
      className="group outline-none"
    >
      <title>{label}</title>
      {/* Wide enough for a finger. */}
      <line {...line} stroke="transparent" strokeWidth={18} />
      <line
        {...line}
        strokeWidth={Math.min(5, 1 + Math.log2(edge.passages))}
        strokeDasharray={together ? '4 4' : undefined}
        className={cn(
          'stroke-input group-hover:stroke-primary group-focus-visible:stroke-ring group-focus-visible:[stroke-width:5]',
          chosen && 'stroke-primary',
        )}
      />
    </Link>
  )
}

const Thing = ({ entity, place, centre }: { entity: GraphEntity; place: PlacedThing; centre: boolean }) => {
  const { x, y, anchor } = labelAt[place.side]
  const label = `${entity.name}, ${kindWords[entity.kind].toLowerCase()}, ${passagesWords(entity.passages)}`
  return (
    <Link
      href={thingHref(entity.id)}
      prefetch={false}
      aria-label={label}
      aria-current={centre ? 'page' : undefined}
      className="group outline-none"
    >
      <title>{label}</title>
      <g transform={`translate(${place.x} ${place.y})`}>
        <circle r={22} fill="transparent" />
        <circle
          r={16}
          className={cn(
            'fill-none stroke-2 stroke-transparent group-hover:stroke-input group-focus-visible:stroke-ring',
            centre && 'stroke-primary',
          )}
        />
        <KindShape kind={entity.kind} />
        <text
          x={x}
          y={y}
          textAnchor={anchor}
          paintOrder="stroke"
          className={cn(
            'fill-foreground stroke-4 stroke-background text-[13px] group-hover:underline',
            centre && 'font-semibold',
          )}
        >
          {truncate(entity.name, labelChars)}
        </text>
      </g>
    </Link>
  )
}

type Props = { around: GraphNeighbourhood; chosen: GraphEdge['between'] | null }

/** A thing and what it stands to, drawn. Every mark is a link: a thing leads to itself, a line to the passages that say so. */
export const GraphDrawing = ({ around, chosen }: Props) => {
  const { centre, neighbours, edges } = around
  const placed = layOut(around)
  const things = [centre, ...neighbours]
  const names = new Map(things.map(({ id, name }) => [id, name]))
  const nameOf = (id: string): string => names.get(id) ?? 'Something'
  const kinds = [...new Set(things.map(({ kind }) => kind))]
  return (
    <figure>
      <div className="overflow-x-auto">
        <svg
          viewBox={`0 0 ${drawing.width} ${drawing.height}`}
          className="mx-auto block w-full min-w-[640px] max-w-[960px]"
        >
          <title>{`${centre.name} and what it stands to; the same stands in the table below`}</title>
          {edges.map((edge) => {
            const [from, to] = [placed.get(edge.between[0]), placed.get(edge.between[1])]
            if (!from || !to) return null
            const label = `${edgeSentences(edge, nameOf).join('; ')} (${passagesWords(edge.passages)})`
            const isChosen = chosen !== null && chosen[0] === edge.between[0] && chosen[1] === edge.between[1]
            return (
              <Edge
                key={edge.between.join('-')}
                edge={edge}
                from={from}
                to={to}
                centreId={centre.id}
                chosen={isChosen}
                label={label}
              />
            )
          })}
          {things.map((entity) => {
            const place = placed.get(entity.id)
            return place && <Thing key={entity.id} entity={entity} place={place} centre={entity.id === centre.id} />
          })}
        </svg>
      </div>
      <figcaption>
        <ul className="flex flex-wrap gap-x-4 gap-y-1 px-5 pt-1 text-[12.5px] text-muted-foreground max-sm:px-4">
          {kinds.map((kind) => (
            <li key={kind} className="flex items-center gap-1.5">
              <KindMark kind={kind} />
              {kindWords[kind]}
            </li>
          ))}
          <li>A dashed line: in one sentence, without words that tie them</li>
        </ul>
      </figcaption>
    </figure>
  )
}
