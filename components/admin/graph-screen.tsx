'use client'
import { Search } from 'lucide-react'
import type { Route } from 'next'
import Form from 'next/form'
import Link from 'next/link'
import { type ReactNode, useMemo } from 'react'
import { Badge } from '#components/ui/badge.tsx'
import { Button } from '#components/ui/button.tsx'
import { EmptyState } from '#components/ui/empty-state.tsx'
import { Input } from '#components/ui/input.tsx'
import { formatCost, formatCount } from '#lib/shared/format.ts'
import type { GraphEdge, GraphEntity, GraphNeighbourhood, GraphSize, GraphSource } from '#lib/shared/graph-contract.ts'
import { pageInWords } from '#lib/shared/page-unit.ts'
import { AdminHeader, AdminTitle } from './admin-header.tsx'
import { Figure, Figures, NothingHere, ReportSection } from './figures.tsx'
import { edgeHref, edgeSentences, GraphDrawing, passagesWords, thingHref } from './graph-drawing.tsx'
import { KindMark, kindWords } from './graph-kinds.tsx'
import { type ReportColumn, ReportTable } from './report-table.tsx'

const settingsHref = '/admin/knowledge' as Route
const graphHref = '/admin/graph' as Route
const documentsHref = '/admin/documents' as Route

const ThingName = ({ entity }: { entity: GraphEntity }) => (
  <Link
    href={thingHref(entity.id)}
    prefetch={false}
    className="inline-flex max-w-full items-center gap-2 font-medium hover:underline touch:min-h-11"
  >
    <KindMark kind={entity.kind} />
    <span dir="auto" className="truncate">
      {entity.name}
    </span>
  </Link>
)

const thingColumns: ReportColumn<GraphEntity>[] = [
  { id: 'name', title: 'Thing', cell: (entity) => <ThingName entity={entity} /> },
  { id: 'kind', title: 'Kind', cell: ({ kind }) => kindWords[kind] },
  { id: 'passages', title: 'Passages', numeric: true, cell: ({ passages }) => formatCount(passages) },
]

type EdgeRow = { edge: GraphEdge; entity: GraphEntity | undefined; key: string }

const edgeColumns = (centreId: string, nameOf: (id: string) => string): ReportColumn<EdgeRow>[] => [
  {
    id: 'thing',
    title: 'With',
    cell: ({ entity, edge }) =>
      entity ? (
        <ThingName entity={entity} />
      ) : (
        <span className="font-normal">{edge.between.map(nameOf).join(' and ')}</span>
      ),
  },
  {
    id: 'said',
    title: 'What is said',
    cell: ({ edge }) => (
      <ul dir="auto">
        {edgeSentences(edge, nameOf).map((sentence) => (
          <li key={sentence}>{sentence}</li>
        ))}
      </ul>
    ),
  },
  {
    id: 'sources',
    title: 'Sources',
    numeric: true,
    cell: ({ edge }) => (
      <Link
        href={edgeHref(centreId, edge.between)}
        prefetch={false}
        aria-label={`${passagesWords(edge.passages)} of ${edge.between.map(nameOf).join(' and ')}`}
        className="inline-flex items-center text-primary hover:underline touch:min-h-11"
      >
        {passagesWords(edge.passages)}
      </Link>
    ),
  },
]

/** A passage with the two things marked in it. */
const MarkedPassage = ({ text, marks }: Pick<GraphSource, 'text' | 'marks'>) => {
  const parts: ReactNode[] = []
  let at = 0
  for (const { start, end } of marks) {
    if (start < at || end > text.length) continue
    parts.push(text.slice(at, start), <mark key={start}>{text.slice(start, end)}</mark>)
    at = end
  }
  return (
    <blockquote
      dir="auto"
      className="whitespace-pre-wrap rounded-md bg-source px-4 py-3 font-serif text-[15px] leading-6"
    >
      {parts}
      {text.slice(at)}
    </blockquote>
  )
}

const Sources = ({ title, sources }: { title: string; sources: readonly GraphSource[] }) => (
  <div id="said" className="scroll-mt-2">
    <ReportSection title={title} note={sources.length > 0 ? 'As the documents say it' : undefined}>
      {sources.length === 0 ? (
        <NothingHere>No passage says so any more: the document was changed or deleted.</NothingHere>
      ) : (
        <ol className="flex max-w-[78ch] flex-col gap-4 px-5 max-sm:px-4">
          {sources.map(({ chunkId, documentId, ordinal, title: document, mediaType, page, text, marks }) => (
            <li key={chunkId}>
              <p className="mb-1.5 flex min-w-0 flex-wrap items-baseline gap-x-2 text-[13px]">
                <Link
                  href={`/admin/documents/${documentId}#${ordinal}` as Route}
                  prefetch={false}
                  dir="auto"
                  className="min-w-0 truncate font-medium hover:underline"
                >
                  {document}
                </Link>
                <span className="num text-muted-foreground">
                  {[`passage ${ordinal + 1}`, pageInWords({ mediaType, page })].filter(Boolean).join(', ')}
                </span>
              </p>
              <MarkedPassage text={text} marks={marks} />
            </li>
          ))}
        </ol>
      )}
    </ReportSection>
  </div>
)

const Neighbourhood = ({ around, edge }: { around: GraphNeighbourhood; edge: Props['edge'] }) => {
  const { centre, neighbours, edges, more } = around
  const byId = useMemo(
    () => new Map([centre, ...neighbours].map((entity) => [entity.id, entity])),
    [centre, neighbours],
  )
  const nameOf = (id: string): string => byId.get(id)?.name ?? 'Something'
  const rows = edges
    .map((one): EdgeRow => {
      const otherId = one.between.find((id) => id !== centre.id)
      return {
        edge: one,
        key: one.between.join('-'),
        entity: one.between.includes(centre.id) ? byId.get(otherId ?? '') : undefined,
      }
    })
    .sort(
      (a, b) => Number(b.entity !== undefined) - Number(a.entity !== undefined) || b.edge.passages - a.edge.passages,
    )
  return (
    <>
      <ReportSection
        title={centre.name}
        note={[
          kindWords[centre.kind],
          passagesWords(centre.passages),
          ...(centre.aliases.length > 0 ? [`also ${centre.aliases.join(', ')}`] : []),
        ].join(' · ')}
        actions={
          more > 0 ? (
            <p className="text-[12.5px] text-muted-foreground">
              {formatCount(more)} more that are said less often are not shown
            </p>
          ) : undefined
        }
      >
        {neighbours.length > 0 ? (
          <GraphDrawing around={around} chosen={edge?.between ?? null} />
        ) : (
          <NothingHere>No passage ties it to another thing.</NothingHere>
        )}
      </ReportSection>
      {edge && <Sources title={edge.between.map(nameOf).join(' and ')} sources={edge.sources} />}
      {rows.length > 0 && (
        <ReportSection title="As a table">
          <ReportTable
            caption={`What ${centre.name} stands to`}
            columns={edgeColumns(centre.id, nameOf)}
            rows={rows}
            rowId={({ key }) => key}
          />
        </ReportSection>
      )}
    </>
  )
}

const costWords = ({ costMicros, unpricedCalls }: GraphSize): string =>
  unpricedCalls > 0
    ? `${formatCount(unpricedCalls)} calls of unknown price besides`
    : costMicros > 0
      ? 'for models that read passages'
      : 'no model was asked'

const extractWords: Record<GraphSize['extract'], string> = {
  off: 'Off',
  patterns: 'By patterns',
  model: 'By patterns and a model',
}

const SettingsLink = ({ children }: { children: ReactNode }) => (
  <Button variant="primary" asChild>
    <Link href={settingsHref}>{children}</Link>
  </Button>
)

/** Nothing was drawn: because nobody wants it, because it is being done, or because there is nothing. */
const Nothing = ({ size }: { size: GraphSize }) => {
  const { done, waiting, untouched } = size.documents
  if (size.extract === 'off')
    return (
      <EmptyState title="The graph is off" action={<SettingsLink>Open the settings</SettingsLink>}>
        Footnote can note which people, teams, products and codes your documents speak of and how they stand to each
        other, and take one step over that when it searches. By patterns it costs no model call. Turn it on under
        Knowledge, where it says “Graph”; documents stay usable while it is drawn.
      </EmptyState>
    )
  if (waiting + untouched > 0)
    return (
      <EmptyState title="The graph is being drawn">
        {formatCount(done)} of {formatCount(done + waiting + untouched)} documents are read. Look again in a minute.
      </EmptyState>
    )
  return (
    <EmptyState
      title="Nothing to draw yet"
      action={
        <Button variant="primary" asChild>
          <Link href={documentsHref}>Add documents</Link>
        </Button>
      }
    >
      {done > 0
        ? 'No document names a thing that could be told apart.'
        : 'The graph is drawn from documents; there is none yet.'}
    </EmptyState>
  )
}

type Props = {
  size: GraphSize
  /** What is looked for; empty shows what is spoken of most. */
  query: string
  found: GraphEntity[]
  /** Null: nothing is chosen. */
  around: GraphNeighbourhood | null
  /** A thing was asked for that is not there. */
  missing: boolean
  edge: { between: GraphEdge['between']; sources: GraphSource[] } | null
}

/** Things that documents speak of, how they stand to each other, and the passages that say so. */
export const GraphScreen = ({ size, query, found, around, missing, edge }: Props) => {
  const { done, waiting, failed, untouched } = size.documents
  const all = done + waiting + failed + untouched
  return (
    <>
      <AdminHeader>
        <AdminTitle>Graph</AdminTitle>
        <Badge variant={size.extract === 'off' ? 'default' : 'success'}>{extractWords[size.extract]}</Badge>
        {size.extract !== 'off' && !size.searched && <Badge variant="outline">Not searched</Badge>}
      </AdminHeader>
      <div className="min-h-0 flex-1 overflow-y-auto">
        <Figures label="Totals">
          <Figure
            title="Things"
            value={formatCount(size.entities)}
            note={size.extract === 'off' ? 'nothing new is drawn' : 'under all their names'}
          />
          <Figure title="Relations" value={formatCount(size.relations)} note="each with the passages that say so" />
          <Figure
            title="Documents read"
            value={`${formatCount(done)} of ${formatCount(all)}`}
            note={
              failed > 0
                ? `${formatCount(failed)} could not be read`
                : waiting > 0
                  ? `${formatCount(waiting)} waiting`
                  : 'none is waiting'
            }
            href={documentsHref}
          />
          <Figure title="Cost" value={formatCost(size.costMicros)} note={costWords(size)} />
        </Figures>
        {size.entities === 0 ? (
          <Nothing size={size} />
        ) : (
          <>
            {!size.searched && (
              <p className="border-b px-5 py-2.5 text-[13px] text-muted-foreground max-sm:px-4">
                Searches do not step over it.{' '}
                <Link href={settingsHref} className="text-primary hover:underline">
                  Change that under Knowledge
                </Link>
              </p>
            )}
            <Form action={graphHref} role="search" className="flex gap-2 border-b px-5 py-3 max-sm:px-4">
              <Input
                key={query}
                name="q"
                type="search"
                defaultValue={query}
                maxLength={120}
                aria-label="Search for a thing"
                placeholder="A person, a team, a product, a code"
                className="max-w-md"
              />
              <Button type="submit">
                <Search />
                Search
              </Button>
            </Form>
            {missing && <NothingHere>That thing is not there any more, or no passage speaks of it.</NothingHere>}
            {around ? (
              <Neighbourhood around={around} edge={edge} />
            ) : (
              <ReportSection title={query ? `Like “${query}”` : 'Spoken of most'}>
                {found.length > 0 ? (
                  <ReportTable caption="Things" columns={thingColumns} rows={found} rowId={({ id }) => id} />
                ) : (
                  <NothingHere>Nothing has a name like that. Try one word of it.</NothingHere>
                )}
              </ReportSection>
            )}
          </>
        )}
      </div>
    </>
  )
}
