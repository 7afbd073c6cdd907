import type { Metadata } from 'next'
import { LabelsScreen } from '#components/review/labels-screen.tsx'
import { page } from '#lib/auth/index.ts'
import { labelOverview, listDisputes, nextToLabel } from '#lib/review/index.ts'
import { can } from '#lib/shared/viewer.ts'
import { addLabels, adjudicate, nextLabel, saveLabel, saveRubric } from './actions.ts'

export const metadata: Metadata = { title: 'Labels' }

export default async function LabelsPage() {
  const viewer = await page('review.decide')
  const [overview, task, disputes] = await Promise.all([
    labelOverview(viewer),
    nextToLabel(viewer),
    listDisputes(viewer),
  ])
  return (
    <LabelsScreen
      overview={overview}
      task={task}
      disputes={disputes}
      mayManage={can(viewer, 'review.manage')}
      actions={{ nextLabel, saveLabel, addLabels, adjudicate, saveRubric }}
    />
  )
}
