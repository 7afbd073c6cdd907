import type { AboutAnswers } from '#components/chat/about-answers.tsx'
import { answererOf, settingsOf } from '#lib/gateway/index.ts'
import type { Viewer } from '#lib/shared/viewer.ts'

/** Who answers the viewer's questions, and whether people look before an answer is shown. */
export const aboutAnswers = async (viewer: Viewer): Promise<AboutAnswers> => {
  const [{ id, kind }, { settings }] = await Promise.all([answererOf(viewer), settingsOf(viewer.workspaceId)])
  return { answerer: { id, kind }, holds: settings.policy.review.rules.some(({ act }) => act === 'hold') }
}
