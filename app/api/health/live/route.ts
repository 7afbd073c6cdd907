/** Says that the process runs; looks at nothing else. */
export const GET = (): Response => Response.json({ live: true }, { headers: { 'cache-control': 'no-store' } })
