/**
 * Labels: two people judge an answer by a rubric, blind to each other, a third decides where they differ. Nobody judges an answer to
 * their own question, or one from what they may not read, and what one said is shown to nobody who can still say something.
 */
import { database, type Executor } from '#db/client.ts'
import { listCitations } from '#db/queries/chats.ts'
import {
  countLabels,
  countRelevant,
  findNextToLabel,
  getRubric,
  insertLabelItems,
  insertRubric,
  listDisputed,
  listLabelled,
  listLabelsOf,
  listPassageTexts,
  listRatedAnswers,
  listScorePairs,
  listUnlabelled,
  lockLabelItem,
  rankedIn,
  savePassageLabels,
  saveLabel as saveStored,
  setAdjudicated,
} from '#db/queries/labels.ts'
import { currentRole } from '#db/queries/members.ts'
import { audit } from '#lib/audit.ts'
import { AppError } from '#lib/shared/errors.ts'
import {
  type Adjudicate,
  type Agreement,
  defaultRubric,
  type LabelDispute,
  type LabelOverview,
  type LabelProgress,
  type LabelTask,
  labelItemsMax,
  type RetrievalAccuracy,
  ratersPerAnswer,
  type SaveLabel,
  type Share,
} from '#lib/shared/label-contract.ts'
import { type LabelScores, labelCriteria, type Rubric } from '#lib/shared/review-contract.ts'
import { can, type Viewer } from '#lib/shared/viewer.ts'
import { wilsonInterval } from '#lib/trust/index.ts'
import { weightedKappa } from './kappa.ts'
import { conflict } from './standing.ts'

const scoreLevels = 3
const accuracyAt = [1, 3, 5, 10] as const
const disputesMax = 20
const exportPage = 500

const rubricOf = async (db: Executor, viewer: Viewer, version?: number) =>
  (version === 0 ? undefined : await getRubric(db, viewer, version)) ?? { version: 0, rubric: defaultRubric }

const shareOf = (part: number, whole: number): Share => ({ part, whole, ...wilsonInterval(part, whole) })

/**
 * Puts answers up for labelling: the named ones, or so many at random of the last 90 days; of those that the viewer may read, and
 * never to their own questions. How many were added.
 */
export const addLabelItems = async (viewer: Viewer, wanted: number | readonly string[]): Promise<number> => {
  const { db } = database()
  const asked = typeof wanted === 'number' ? Math.min(labelItemsMax, wanted) : wanted.slice(0, labelItemsMax)
  const { version } = await rubricOf(db, viewer)
  const found = await listUnlabelled(db, viewer, asked)
  return db.transaction(async (tx) => {
    const added = await insertLabelItems(tx, viewer, found, version)
    if (added.length > 0)
      await audit(tx, {
        actor: viewer,
        event: 'labels.opened',
        objectId: viewer.workspaceId,
        details: { answers: added.length, rubricVersion: version },
      })
    return added.length
  })
}

/** In the order of `messageIds`; what the viewer may not read is left out. */
const tasksOf = async (db: Executor, viewer: Viewer, messageIds: readonly string[]): Promise<LabelTask[]> => {
  const answers = await listRatedAnswers(db, viewer, messageIds)
  const versions = [...new Set(answers.map(({ rubricVersion }) => rubricVersion))]
  const [texts, citations, rubrics] = await Promise.all([
    listPassageTexts(db, viewer, [...new Set(answers.flatMap(rankedIn))]),
    listCitations(db, viewer, messageIds),
    Promise.all(versions.map(async (version) => [version, (await rubricOf(db, viewer, version)).rubric] as const)),
  ])
  const rubricBy = new Map(rubrics)
  return answers.map((answer) => {
    const { messageId, question, text, rubricVersion } = answer
    const searched = answer.searched.at(-1)
    return {
      messageId,
      question,
      searched: typeof searched === 'string' && searched !== question ? searched : null,
      text,
      citations: citations.get(messageId) ?? [],
      passages: rankedIn(answer).flatMap((chunkId, at) => {
        const passage = texts.get(chunkId)
        return passage ? [{ ...passage, rank: at + 1 }] : []
      }),
      rubric: rubricBy.get(rubricVersion) ?? defaultRubric,
      rubricVersion,
    }
  })
}

/** The next answer for this rater, without what anybody said of it; `except` are those that they passed over. Null: none waits. */
export const nextToLabel = async (viewer: Viewer, except: readonly string[] = []): Promise<LabelTask | null> => {
  const { db } = database()
  const messageId = await findNextToLabel(db, viewer, except)
  const [task = null] = messageId === undefined ? [] : await tasksOf(db, viewer, [messageId])
  return task
}

const same = <Of extends LabelScores | Rubric>(one: Of, other: Of): boolean =>
  labelCriteria.every((criterion) => one[criterion] === other[criterion])

/**
 * Keeps the viewer's label with what they said of the passages. It can be changed until the other label is there. Throws `not-found`,
 * and `conflict` in words when two others have labelled it or a third person has decided.
 */
export const saveLabel = async (viewer: Viewer, { messageId, passages, ...label }: SaveLabel): Promise<void> => {
  const { db } = database()
  const [answer] = await listRatedAnswers(db, viewer, [messageId])
  if (!answer) throw new AppError('not-found')
  const ranks = new Map(rankedIn(answer).map((chunkId, at) => [chunkId, at + 1]))
  await db.transaction(async (tx) => {
    const item = await lockLabelItem(tx, viewer, messageId)
    if (!item) throw new AppError('not-found')
    const mine = item.labels.find(({ raterId }) => raterId === viewer.userId)
    if (item.adjudicated || item.labels.length >= ratersPerAnswer) {
      // Sent twice it is once.
      if (mine && same(mine.scores, label.scores) && mine.note === label.note) return
      throw conflict(
        'Two people have labelled this answer already, so nothing was kept of this label. Take the next one.',
      )
    }
    await saveStored(tx, viewer, { messageId, ...label })
    await savePassageLabels(
      tx,
      viewer,
      messageId,
      // The place is what the trace says, not what was sent.
      [...new Map(passages.map((one) => [one.chunkId, one])).values()].flatMap(({ chunkId, relevant }) => {
        const rank = ranks.get(chunkId)
        return rank === undefined ? [] : [{ chunkId, rank, relevant }]
      }),
    )
    // No scores: who reads the log may be the other rater.
    await audit(tx, {
      actor: viewer,
      event: 'answer.labelled',
      objectId: messageId,
      details: { rubricVersion: item.rubricVersion },
    })
  })
}

/** What raters differ over, for a third person: the viewer has labelled none of these. */
export const listDisputes = async (viewer: Viewer): Promise<LabelDispute[]> => {
  const { db } = database()
  const found = await listDisputed(db, viewer, disputesMax)
  const [tasks, labels] = await Promise.all([tasksOf(db, viewer, found), listLabelsOf(db, found)])
  return tasks.map((task) => ({
    ...task,
    labels: (labels.get(task.messageId) ?? []).map(({ scores, note }) => ({ scores, note })),
  }))
}

/** Decides what two raters differ over. Throws `not-found`, `forbidden` for one of the two, `conflict` when it is decided or none. */
export const adjudicate = async (viewer: Viewer, { messageId, scores }: Adjudicate): Promise<void> =>
  database().db.transaction(async (tx) => {
    const item = await lockLabelItem(tx, viewer, messageId)
    if (!item) throw new AppError('not-found')
    if (item.labels.some(({ raterId }) => raterId === viewer.userId))
      throw new AppError('forbidden', { message: 'One of the two labels is yours, so a third person decides.' })
    if (item.adjudicated) {
      if (same(item.adjudicated, scores)) return
      throw conflict('Somebody has decided this already.')
    }
    const [one, other] = item.labels
    if (!one || !other || same(one.scores, other.scores))
      throw conflict('There is nothing to decide: the labels agree.')
    await setAdjudicated(tx, viewer, messageId, scores)
    await audit(tx, { actor: viewer, event: 'label.adjudicated', objectId: messageId, details: { scores } })
  })

/** Saves the rubric as its next version; answers that are up for labelling keep theirs. Throws `conflict` when another was faster. */
export const saveRubric = async (viewer: Viewer, based: number, rubric: Rubric): Promise<{ version: number }> => {
  const { db } = database()
  const current = await rubricOf(db, viewer)
  // Sent twice it is once.
  if (same(current.rubric, rubric)) return { version: current.version }
  const taken = conflict('Somebody has saved another rubric meanwhile. Read it first, then save yours again.')
  if (current.version !== based) throw taken
  const version = based + 1
  await db.transaction(async (tx) => {
    if (!(await insertRubric(tx, viewer, version, rubric))) throw taken
    await audit(tx, {
      actor: viewer,
      event: 'rubric.saved',
      objectId: viewer.workspaceId,
      details: { version },
      before: current.rubric,
      after: rubric,
    })
  })
  return { version }
}

const agreementOf = (pairs: readonly { one: LabelScores; other: LabelScores }[]): Agreement[] =>
  labelCriteria.map((criterion) => {
    const scores = pairs.map(({ one, other }) => [one[criterion], other[criterion]] as const)
    const alike = scores.filter(([one, other]) => one === other).length
    return {
      criterion,
      pairs: pairs.length,
      same: pairs.length === 0 ? null : alike / pairs.length,
      kappa: pairs.length < 2 ? null : weightedKappa(scores, scoreLevels),
    }
  })

/** Agreement of all pairs of labels in the workspace, a criterion at a time, as Cohen's kappa with quadratic weights. */
const agreement = async (viewer: Viewer): Promise<Agreement[]> =>
  agreementOf(await listScorePairs(database().db, viewer))

/** Of passages that raters have looked at, with intervals of Wilson at 95 %. */
const retrievalAccuracy = async (viewer: Viewer): Promise<RetrievalAccuracy> =>
  (await countRelevant(database().db, viewer, accuracyAt)).map(({ k, passages, helpful, questions, helped }) => ({
    k,
    precision: shareOf(helpful, passages),
    helped: shareOf(helped, questions),
  }))

/** Where labelling stands; counts alone, of the whole workspace and of the viewer. */
export const labelProgress = (viewer: Viewer): Promise<LabelProgress> => countLabels(database().db, viewer)

/** Where labelling stands and what it tells; numbers alone, of the whole workspace. */
export const labelOverview = async (viewer: Viewer): Promise<LabelOverview> => {
  const { db } = database()
  const [progress, rubric, agreed, retrieval] = await Promise.all([
    labelProgress(viewer),
    rubricOf(db, viewer),
    agreement(viewer),
    retrievalAccuracy(viewer),
  ])
  return { progress, rubric, agreement: agreed, retrieval }
}

/**
 * Finished labels as lines of JSON, read by pages as they are sent; texts only of answers that the viewer may read, raters without
 * names. That they were taken out is a line of the audit log before the first byte.
 */
export const exportLabels = async (viewer: Viewer): Promise<ReadableStream<Uint8Array>> => {
  const { db } = database()
  await db.transaction((tx) =>
    audit(tx, { actor: viewer, event: 'data.exported', objectId: viewer.workspaceId, details: { what: 'labels' } }),
  )
  const bytes = new TextEncoder()
  let after: string | null = null
  return new ReadableStream({
    pull: async (controller) => {
      // Who is demoted or suspended meanwhile gets no further line.
      const role = await currentRole(db, viewer, viewer.userId)
      if (!role || !can({ role }, 'review.manage')) throw new AppError('forbidden')
      const page = await listLabelled(db, viewer, { after, limit: exportPage })
      after = page.at(-1)?.messageId ?? after
      if (page.length > 0) controller.enqueue(bytes.encode(page.map((row) => `${JSON.stringify(row)}\n`).join('')))
      if (page.length < exportPage) controller.close()
    },
  })
}
