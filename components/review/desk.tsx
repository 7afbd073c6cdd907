'use client'
import { ShieldCheck, ShieldX } from 'lucide-react'
import Link from 'next/link'
import { useEffect, useMemo, useRef, useState } from 'react'
import { AdminHeader, AdminTitle } from '#components/admin/admin-header.tsx'
import { useWide } from '#components/admin/use-wide.ts'
import { When } from '#components/admin/when.tsx'
import { SourceAside, SourceSheet } from '#components/chat/source-panel.tsx'
import { SourcePanelContext } from '#components/chat/source-target.ts'
import { Badge } from '#components/ui/badge.tsx'
import { Button } from '#components/ui/button.tsx'
import { cn } from '#lib/shared/cn.ts'
import { openReviewsWords } from '#lib/shared/open-reviews.ts'
import { NoteField } from './decision-menus.tsx'
import { DeskBar } from './desk-bar.tsx'
import { DeskContradictions } from './desk-contradictions.tsx'
import { DeskKeep } from './desk-keep.tsx'
import { DeskMore } from './desk-more.tsx'
import { DeskBanner, DeskQuestion } from './desk-question.tsx'
import { DiffText } from './diff-text.tsx'
import { EditField, EditVerdict, verdictOn, verdictOnWhole } from './edit-verdict.tsx'
import { decidedWords, dueClasses, dueOf } from './review-words.ts'
import { markerLegend, withoutMarkers, wordsOfGap } from './sentence-edit.ts'
import { answerCellClasses, rowClasses, SentenceRow } from './sentence-row.tsx'
import { type DeskProps, useDesk } from './use-desk.ts'

/** One answer on the desk: its sentences beside their sources, and what can be decided about it. */
export const Desk = (props: DeskProps) => {
  const { opened, kept, viewer, actions, queueHref, openCount } = props
  const desk = useDesk(props)
  const { item, claim, mine, isOpen, holder, keep, work, cut, text, edited, citations, source, acts } = desk
  const { selected, editing, startEdit, doneEditing, comments } = desk
  const { target } = source
  const wide = useWide(1280)
  const [noteOpen] = useState(work.work.note !== '')
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => heading.current?.focus({ preventScroll: true }), [])

  const due = dueOf(item.dueAt, desk.nowMs)
  const rows = useMemo(() => {
    // What no claim covers is shown as well: nothing of an answer is approved unread.
    return [...cut.sentences.keys(), cut.sentences.length].map((index) => ({
      index,
      before: wordsOfGap(cut.gaps[index] ?? ''),
    }))
  }, [cut])
  const decided = item.decided
  const Sign = item.state === 'rejected' ? ShieldX : ShieldCheck
  const sent = item.state === 'edited' ? decided?.decision.text : undefined

  return (
    <SourcePanelContext value={source.panel}>
      <AdminHeader
        actions={
          <span className={cn('num shrink-0 text-[13px]', dueClasses[due.state])}>{isOpen ? due.words : ''}</span>
        }
      >
        <AdminTitle>
          <Link href={queueHref} className="hover:underline">
            Review
          </Link>
        </AdminTitle>
        {openCount !== null && (
          <Badge variant="warning" className="max-sm:hidden">
            {openReviewsWords(openCount)} open
          </Badge>
        )}
        {isOpen && <Badge variant={holder.who === 'other' ? 'warning' : 'default'}>{holder.words}</Badge>}
      </AdminHeader>
      <div className="flex min-h-0 flex-1">
        <section
          aria-label="Answer under review"
          // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard
          tabIndex={0}
          className={cn(
            '@container min-h-0 min-w-0 flex-1 overflow-y-auto -outline-offset-2',
            target && !wide && 'pb-[60dvh]',
          )}
        >
          <div role="status">
            {decided && (
              <DeskBanner
                tone={item.state === 'rejected' ? 'plain' : 'seal'}
                action={
                  <Button size="sm" onClick={() => void acts.next()}>
                    Open the next answer
                  </Button>
                }
              >
                <Sign aria-hidden className="mr-1.5 inline size-4 align-[-3px]" />
                {decided.by ?? 'Somebody'} {decidedWords[item.state]}, <When iso={decided.at} />.
                {decided.decision.note && ` Note: ${decided.decision.note}`}
              </DeskBanner>
            )}
            {!decided && !isOpen && (
              <DeskBanner
                tone="plain"
                action={
                  <Button size="sm" onClick={() => void acts.next()}>
                    Open the next answer
                  </Button>
                }
              >
                {item.state === 'withdrawn'
                  ? 'Who asked has taken it back, so there is nothing to decide any more.'
                  : 'Nobody decided in time, so it was given up.'}
              </DeskBanner>
            )}
            {isOpen && item.cannotApprove && (
              <DeskBanner tone="warning">{item.cannotApprove} It can be edited or rejected.</DeskBanner>
            )}
            {isOpen && holder.who === 'other' && (
              <DeskBanner
                tone="warning"
                action={
                  viewer.mayTakeOver && (
                    <Button size="sm" onClick={() => void claim.takeOver()}>
                      Take it over
                    </Button>
                  )
                }
              >
                {holder.words} now. You can read and comment{viewer.mayTakeOver ? ', or take it over' : ''}.
                {edited && ' Your edit is kept as a draft.'}
              </DeskBanner>
            )}
            {claim.trouble && <DeskBanner tone="warning">{claim.trouble}</DeskBanner>}
            {isOpen && work.saved.error && (
              <DeskBanner tone="warning">Your draft is not kept: {work.saved.error}</DeskBanner>
            )}
          </div>
          <DeskKeep keep={keep} />
          <DeskQuestion item={item} heading={heading} />
          <DeskContradictions contradictions={item.contradictions ?? []} />
          {sent && (
            <section aria-label="The edit that was approved" className="border-b px-5 py-3.5 max-sm:px-4">
              <h3 className="text-[12.5px] text-muted-foreground">The edit that was approved</h3>
              {/* Its markers were numbered anew with it: those of the answer below are others. */}
              <div className="max-w-3xl">
                <DiffText before={withoutMarkers(item.text)} after={withoutMarkers(sent)} citations={citations} />
              </div>
            </section>
          )}
          {item.text ? (
            <ol aria-label="Sentences of the answer">
              {rows.map(({ index, before }) => {
                const one = item.claims[index]
                const sentence = cut.sentences[index] ?? ''
                return [
                  before && (
                    <li key={`gap ${index}`} className={rowClasses}>
                      <p
                        dir="auto"
                        className={cn(answerCellClasses, 'whitespace-pre-line text-[14px] text-muted-foreground')}
                      >
                        {before}
                      </p>
                      <div className="bg-source @max-3xl:hidden" />
                    </li>
                  ),
                  one && (
                    <SentenceRow
                      key={`sentence ${index}`}
                      at={index}
                      of={item.claims.length}
                      claim={one}
                      text={sentence}
                      edit={work.work.whole === null ? (work.work.sentences[index] ?? sentence) : sentence}
                      verdict={verdictOn(work.work.sentences[index] ?? '', work.checked)}
                      editing={editing === index}
                      selected={selected === index}
                      citations={citations}
                      seen={work.work.seen}
                      onSelect={() => desk.setSelected(index)}
                      onStep={(by) => desk.select(index + by)}
                      onOpen={source.open}
                      onEdit={(words) => work.setSentence(index, words)}
                      onEditDone={doneEditing}
                      onUndo={() => work.setSentence(index, sentence)}
                    />
                  ),
                ]
              })}
            </ol>
          ) : (
            <p className="border-b px-5 py-6 text-muted-foreground max-sm:px-4">
              {isOpen
                ? 'No answer was found to this question. Edit writes one; its sentences are checked against the sources.'
                : 'The words of this answer are not kept.'}
            </p>
          )}
          {work.work.whole !== null && (
            <section
              aria-label="Your edit of the whole answer"
              className="border-b border-l-[3px] border-l-primary px-5 py-3.5 max-sm:px-4"
            >
              <div className="mb-1 flex items-center gap-2 text-[12.5px] text-muted-foreground">
                <h3 className="flex-1">Your edit of the whole answer</h3>
                {editing !== 'whole' && (
                  <Button variant="quiet" size="sm" onClick={() => startEdit('whole')}>
                    Go on editing
                  </Button>
                )}
                <Button variant="quiet" size="sm" onClick={work.undo}>
                  Undo this edit
                </Button>
              </div>
              <div className="max-w-3xl">
                {editing === 'whole' && (
                  <EditField
                    label="The whole answer, edited"
                    value={work.work.whole}
                    legend={markerLegend(`${item.text} ${work.work.whole}`, citations)}
                    onChange={work.setWhole}
                    onDone={doneEditing}
                  />
                )}
                {edited && <DiffText before={item.text} after={work.work.whole} citations={citations} />}
                <EditVerdict verdict={edited ? verdictOnWhole(work.checked) : null} />
              </div>
            </section>
          )}
          {mine && (
            <details className="border-b" open={noteOpen}>
              <summary className="cursor-pointer px-5 py-2.5 font-medium text-[13px] -outline-offset-2 hover:bg-muted/50 max-sm:px-4 touch:py-3">
                Note to who asked
              </summary>
              <div className="max-w-2xl px-5 pt-1 pb-4 max-sm:px-4">
                <NoteField note={work.work.note} onNote={work.setNote} />
              </div>
            </details>
          )}
          <DeskMore
            item={item}
            text={text}
            maySeeTraces={viewer.maySeeTraces}
            actions={actions}
            comment={work.work.comment}
            onComment={work.setComment}
            commentsOpen={comments.isOpen}
            onCommentsOpen={comments.setOpen}
            commentField={comments.field}
            onCommented={() => void claim.look()}
          />
        </section>
        {target && wide && (
          <SourceAside target={target} position={source.position} onWalk={source.step} onClose={source.close} />
        )}
        {target && !wide && (
          <SourceSheet target={target} position={source.position} onWalk={source.step} onClose={source.close} />
        )}
      </div>
      <DeskBar desk={desk} hadDraft={Boolean(kept ?? opened.item.draft)} viewerId={viewer.id} actions={actions} />
    </SourcePanelContext>
  )
}
