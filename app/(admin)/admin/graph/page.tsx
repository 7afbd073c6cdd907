import type { Metadata } from 'next'
import { z } from 'zod'
import { GraphScreen } from '#components/admin/graph-screen.tsx'
import { getGraphSize, getNeighbourhood, listEdgeSources, searchEntities } from '#db/reports/graph.ts'
import { reader, readFor } from '#db/reports/reader.ts'
import { page } from '#lib/auth/index.ts'

export const metadata: Metadata = { title: 'Graph' }

/** Parts of the address that make no sense are as if they were not there. */
const searchSchema = z.object({
  q: z
    .string()
    .max(120)
    .regex(/^[^\0]*$/)
    .catch(''),
  thing: z.string().max(20).optional().catch(undefined),
  edge: z
    .string()
    .regex(/^\d{1,15}-\d{1,15}$/)
    .transform((text): [string, string] => {
      const [one = '', other = ''] = text.split('-')
      return [one, other]
    })
    .optional()
    .catch(undefined),
})

export default async function GraphPage({ searchParams }: { searchParams: Promise<Record<string, unknown>> }) {
  const viewer = await page('document.manage')
  const { q, thing, edge } = searchSchema.parse(await searchParams)
  const [size, { around, sources, found }] = await Promise.all([
    getGraphSize(reader(), viewer),
    readFor(viewer, async (db, person) => {
      const near = thing ? await getNeighbourhood(db, person, thing) : undefined
      return {
        around: near,
        sources: thing && edge ? await listEdgeSources(db, person, edge) : [],
        found: near ? [] : await searchEntities(db, person, q),
      }
    }),
  ])
  return (
    <GraphScreen
      size={size}
      query={q}
      found={found}
      around={around ?? null}
      missing={thing !== undefined && around === undefined}
      edge={edge ? { between: edge, sources } : null}
    />
  )
}
