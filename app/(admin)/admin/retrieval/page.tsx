import type { Metadata } from 'next'
import { RetrievalScreen } from '#components/admin/retrieval-screen.tsx'
import { listCollections } from '#db/reports/documents.ts'
import { listFilterChoices } from '#db/reports/passages.ts'
import { readFor } from '#db/reports/reader.ts'
import { page } from '#lib/auth/index.ts'
import { settingsOf } from '#lib/gateway/index.ts'
import { listGoldenQuestions } from '#lib/knowledge.ts'
import { deleteGoldenQuestion, explainQuestion, runGoldenQuestions, saveGoldenQuestion } from './actions.ts'

export const metadata: Metadata = { title: 'Retrieval' }

/** What is asked stands in the address; the screen asks it. */
export default async function RetrievalPage() {
  const viewer = await page('document.manage')
  const [{ settings }, collections, choices, golden] = await Promise.all([
    settingsOf(viewer.workspaceId),
    readFor(viewer, listCollections),
    readFor(viewer, listFilterChoices),
    listGoldenQuestions(viewer),
  ])
  return (
    <RetrievalScreen
      own={settings.retrieval}
      collections={collections}
      choices={choices}
      golden={golden}
      actions={{
        explain: explainQuestion,
        saveGolden: saveGoldenQuestion,
        deleteGolden: deleteGoldenQuestion,
        runGolden: runGoldenQuestions,
      }}
    />
  )
}
