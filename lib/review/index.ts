/**
 * People over answers. Guarantees: what is held is shown by a decision alone, and that decision holds for exactly the content that was
 * decided on; nobody decides on an answer to their own question; of two who decide at once one wins and the other is told who and
 * when; a reviewer sees an item only when everything it draws from is open to them. It does not decide what is held: policy does.
 */
export {
  listCorrections,
  noteDocument,
  notesOn,
  resolveNote,
  retireCurated,
  saveCurated,
  saveGolden,
} from './corrections.ts'
export { decideMany, decideReview } from './decide.ts'
export { deliverReview } from './deliver.ts'
export { checkEdit, loadReview } from './detail.ts'
export { askPerson, feedbackOf, giveFeedback, hasReviewer } from './feedback.ts'
export { reviewMetrics, usualDecisionMs } from './figures.ts'
export {
  addLabelItems,
  adjudicate,
  exportLabels,
  labelOverview,
  labelProgress,
  listDisputes,
  nextToLabel,
  saveLabel,
  saveRubric,
} from './labels.ts'
export { listNotifications, markRead } from './notifications.ts'
export { claimsFrom, contentHash, reviewOf } from './open.ts'
export { answerQuality } from './quality.ts'
export {
  askExpert,
  claimNext,
  claimReview,
  commentReview,
  countOpen,
  handOn,
  listQueue,
  listReviewers,
  listUnreachable,
  releaseClaim,
  renewClaim,
  saveReviewDraft,
} from './queue.ts'
export { calibrationReport, confidenceFit, queueDueRecalibration, recalibrateConfidence } from './recalibrate.ts'
export { seedReviews } from './seeds.ts'
export { sweepReviews } from './sweep.ts'
