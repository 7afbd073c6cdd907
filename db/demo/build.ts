/**
 * Builds the Word and PDF documents of the demo corpus from the texts in source/. The results are committed, so this
 * runs only when a text changes: `node db/demo/build.ts`. Dates are fixed, so the same text gives the same bytes.
 */
import { readFile, writeFile } from 'node:fs/promises'
import { parseSource } from './markup.ts'
import { renderDocx } from './render-docx.ts'
import { renderPdf } from './render-pdf.ts'

const jobs = [
  { source: 'handbook.md', target: 'employee-handbook.docx', date: '2026-01-01T08:00:00Z', render: renderDocx },
  { source: 'manual.md', target: 'h-40-service-manual.pdf', date: '2025-11-17T08:00:00Z', render: renderPdf },
]

for (const job of jobs) {
  const text = await readFile(new URL(`source/${job.source}`, import.meta.url), 'utf8')
  const bytes = await job.render(parseSource(text), new Date(job.date))
  await writeFile(new URL(job.target, import.meta.url), bytes)
  console.log(`${job.target}: ${bytes.length} bytes`)
}
