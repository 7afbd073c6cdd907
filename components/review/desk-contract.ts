/** What the desk is given: who looks, and what they can do. */
import type { ActionResult } from '#lib/shared/errors.ts'
import type {
  BulkResult,
  CorrectionInput,
  DocumentNoteInput,
  EditCheck,
  ReviewBulk,
  ReviewDetail,
  ReviewPage,
  ReviewPerson,
} from '#lib/shared/review-contract.ts'

/** With the server's time, and how far this machine's was from it when it came: claims and deadlines are told by the server's. */
export type Timed<T> = T & { now: string; skewMs?: number }
export type DeskItem = Timed<{ item: ReviewDetail }>
export type QueueData = Timed<ReviewPage>

export type DeskViewer = { id: string; mayTakeOver: boolean; maySeeTraces: boolean }

type OfItem<Input = object> = { itemId: string } & Input
/** `made` is false where it was there already. */
export type KeptAs = { id: string; made: boolean }
export type DeskActions = {
  saveDraft: (input: OfItem<{ text: string; note: string }>) => Promise<ActionResult<{ updatedAt: string }>>
  checkEdit: (input: OfItem<{ text: string }>) => Promise<ActionResult<EditCheck>>
  comment: (input: OfItem<{ text: string; mentions: string[] }>) => Promise<ActionResult<{ id: string }>>
  listReviewers: (input: OfItem) => Promise<ActionResult<ReviewPerson[]>>
  handOn: (input: OfItem<{ userId: string }>) => Promise<ActionResult<null>>
  askExpert: (input: OfItem<{ userId: string; words: string }>) => Promise<ActionResult<null>>
  saveGolden: (input: CorrectionInput) => Promise<ActionResult<KeptAs>>
  saveCurated: (input: CorrectionInput) => Promise<ActionResult<KeptAs>>
  noteDocument: (input: DocumentNoteInput) => Promise<ActionResult<KeptAs>>
}
export type QueueActions = { decideMany: (input: ReviewBulk) => Promise<ActionResult<BulkResult[]>> }

/** Over how many days the figures may go. */
export const figureDays = ['7', '30', '90'] as const
export type FigureDays = (typeof figureDays)[number]
