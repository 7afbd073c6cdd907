'use client'
import type { Route } from 'next'
import Link from 'next/link'
import { useRouter } from 'next/navigation'
import { type ReactNode, useState } from 'react'
import {
  AlertDialog,
  AlertDialogAction,
  AlertDialogCancel,
  AlertDialogContent,
  AlertDialogDescription,
  AlertDialogFooter,
  AlertDialogTitle,
} from '#components/ui/alert-dialog.tsx'
import { Badge } from '#components/ui/badge.tsx'
import { Button } from '#components/ui/button.tsx'
import { Input } from '#components/ui/input.tsx'
import { toast } from '#components/ui/toaster.tsx'
import type { ActionResult } from '#lib/shared/errors.ts'
import {
  type DraftInput,
  type PolicyDifference,
  type PolicyDraft,
  type PolicyVersion,
  type PolicyView,
  reasonCharsMax,
} from '#lib/shared/policy-draft.ts'
import { groupWords, policyGroups, policyLines } from '#lib/shared/policy-words.ts'
import { AdminHeader, AdminTitle } from './admin-header.tsx'
import { NothingHere, ReportSection } from './figures.tsx'
import { attempt } from './models-form.ts'
import type { TryRule } from './policy-answer-rules.tsx'
import { PolicyForm, type PolicyStart } from './policy-form.tsx'
import { PolicyPreview, type Preview } from './policy-preview.tsx'
import { useOpener } from './use-opener.ts'
import { When } from './when.tsx'

type One = { id: string }
type Act<Input, Result = null> = (input: Input) => Promise<ActionResult<Result>>
export type PolicyActions = {
  saveDraft: Act<DraftInput, One>
  proposeDraft: Act<One>
  applyDraft: Act<One & { seen: string }, number>
  rejectDraft: Act<One & { why: string }>
  discardDraft: Act<One>
  renewDraft: Act<One>
  rollBack: Act<{ version: number; reason: string }, { version: number } | { proposed: string }>
  preview: Preview
  tryRule: TryRule
}

const block = 'px-5 max-sm:px-4'

/** What differs, as it was and as it is. */
export const Differences = ({ label, changes }: { label: string; changes: readonly PolicyDifference[] }) => (
  <ul aria-label={label} className="flex flex-col gap-1.5 text-[13.5px]">
    {changes.map(({ key, before, after }) => (
      <li key={key} className="min-w-0 break-words border-input border-l-2 pl-3">
        {before && (
          <del className="block text-muted-foreground">
            <span className="sr-only">Was: </span>
            {before}
          </del>
        )}
        {after ? (
          <ins className="block no-underline">
            <span className="sr-only">Becomes: </span>
            {after}
          </ins>
        ) : (
          <span className="text-muted-foreground">This is gone.</span>
        )}
      </li>
    ))}
  </ul>
)

const Warning = ({ children }: { children: ReactNode }) => (
  <div className="mb-2.5 rounded-md border border-warning/50 px-3 py-2 text-[13px]">{children}</div>
)

const stateWords = (draft: PolicyDraft): string => (draft.state === 'proposed' ? 'proposed' : 'draft')

/** A draft or a proposal: what it changes, what stands against it, what can be done with it. */
const DraftCard = ({ draft, preview, children }: { draft: PolicyDraft; preview: Preview; children: ReactNode }) => (
  <div className={block}>
    <p className="mb-2 flex flex-wrap items-center gap-2 text-[12.5px] text-muted-foreground">
      <Badge variant={draft.state === 'proposed' ? 'accent' : 'outline'}>{stateWords(draft)}</Badge>
      {draft.mine ? 'by you' : `by ${draft.author ?? 'somebody who is gone'}`}
      <When iso={draft.updatedAt} />
    </p>
    {draft.reason && (
      <p dir="auto" className="mb-2 break-words text-[13.5px]">
        “{draft.reason}”
      </p>
    )}
    {draft.faults.length > 0 && (
      <Warning>
        <p className="font-medium">It contradicts itself, so it cannot be applied yet.</p>
        <ul className="mt-1 list-disc pl-5">
          {draft.faults.map((fault) => (
            <li key={fault} className="break-words">
              {fault}
            </li>
          ))}
        </ul>
      </Warning>
    )}
    {draft.moved.length > 0 && (
      <Warning>
        <p className="mb-1.5 font-medium">The policy has changed since this draft was begun. Nothing of it is lost.</p>
        <Differences label="Changed meanwhile" changes={draft.moved} />
      </Warning>
    )}
    {draft.changes.length > 0 ? (
      <Differences label="What it changes" changes={draft.changes} />
    ) : (
      <p className="text-[13px] text-muted-foreground">It changes nothing of the policy in force.</p>
    )}
    <PolicyPreview key={draft.updatedAt} content={draft.content} preview={preview} />
    {draft.barred && <p className="mt-3 text-[13px] text-muted-foreground">{draft.barred}</p>}
    <div className="mt-3 flex flex-wrap gap-2">{children}</div>
  </div>
)

const InForce = ({ view }: { view: PolicyView }) => {
  const lines = policyLines(view.governed, view.names)
  return (
    <div className={block}>
      {policyGroups.map((group) => (
        <section key={group} aria-label={groupWords[group]} className="mb-4 last:mb-0">
          <h3 className="mb-1 font-semibold text-[13.5px]">{groupWords[group]}</h3>
          <ul className="flex max-w-3xl flex-col gap-0.5 text-[13.5px]">
            {lines
              .filter((line) => line.group === group)
              .map(({ key, words }) => (
                <li key={key} className="min-w-0 break-words">
                  {words}
                </li>
              ))}
          </ul>
        </section>
      ))}
    </div>
  )
}

const setWords = ({ savedBy, approvedBy }: Pick<PolicyVersion, 'savedBy' | 'approvedBy'>): string =>
  [savedBy ? `by ${savedBy}` : 'by the system', approvedBy ? `agreed to by ${approvedBy}` : '']
    .filter(Boolean)
    .join(', ')

const Versions = ({
  view,
  onRollBack,
}: {
  view: PolicyView
  /** Null: not now. */
  onRollBack: ((version: PolicyVersion) => void) | null
}) =>
  view.versions.length === 0 ? (
    <NothingHere>
      Nothing was changed yet: the policy is as it comes. Every change is kept here, with who and why.
    </NothingHere>
  ) : (
    <ol aria-label="Versions, newest first">
      {view.versions.map((one) => (
        <li key={one.version} className={`${block} border-t py-2.5 first:border-t-0`}>
          <div className="flex flex-wrap items-center gap-x-2.5 gap-y-1">
            <span className="num font-medium text-[13.5px]">
              {one.version === 0 ? 'As it comes' : `Version ${one.version}`}
            </span>
            {one.version === view.version && <Badge variant="success">in force</Badge>}
            {one.at && (
              <span className="text-[12.5px] text-muted-foreground">
                {setWords(one)} <When iso={one.at} />
              </span>
            )}
            <span className="flex-1" />
            {onRollBack && one.version !== view.version && (
              <Button
                size="sm"
                variant="quiet"
                aria-label={`Roll back to version ${one.version}`}
                onClick={() => onRollBack(one)}
              >
                Roll back
              </Button>
            )}
          </div>
          {one.reason && (
            <p dir="auto" className="mt-0.5 break-words text-[13px]">
              “{one.reason}”
            </p>
          )}
          {one.changes.length > 0 ? (
            <details className="mt-1">
              <summary className="cursor-default text-[13px] text-muted-foreground">
                {one.changes.length === 1 ? 'One change' : `${one.changes.length} changes`}
              </summary>
              <div className="mt-2">
                <Differences label={`What version ${one.version} changed`} changes={one.changes} />
              </div>
            </details>
          ) : (
            one.at && (
              <p className="mt-0.5 text-[12.5px] text-muted-foreground">Something outside the policy was changed.</p>
            )
          )}
        </li>
      ))}
    </ol>
  )

type Question =
  | { of: 'roll-back'; version: PolicyVersion }
  | { of: 'discard'; draft: PolicyDraft }
  | { of: 'reject'; draft: PolicyDraft }
  | { of: 'close' }

const doesWords: Record<Question['of'], string> = {
  'roll-back': 'Roll back',
  discard: 'Discard draft',
  reject: 'Reject proposal',
  close: 'Close without saving',
}

/** The policy as sentences, the draft beside it, what others propose, and every version there was. */
export const PolicyScreen = ({ view, actions }: { view: PolicyView; actions: PolicyActions }) => {
  const router = useRouter()
  // What is being changed; while it is, nothing else is done with a policy or a draft.
  const [editing, setEditing] = useState<PolicyStart | null>(null)
  const [question, setQuestion] = useState<Question | null>(null)
  const [why, setWhy] = useState('')
  const [refusal, setRefusal] = useState<string | null>(null)
  const opener = useOpener()
  const { draft, proposals } = view

  const act = async <Result,>(run: Promise<ActionResult<Result>>, done: string | ((result: Result) => string)) => {
    setRefusal(null)
    const result = await attempt(run)
    if ('error' in result) setRefusal(result.error)
    else toast(typeof done === 'string' ? done : done(result.value))
    // Also after a refusal: what stands against it is shown.
    router.refresh()
  }
  const ask = (next: Question) => {
    opener.remember()
    setWhy('')
    setQuestion(next)
  }
  const decide = () => {
    if (!question) return
    if (question.of === 'close') setEditing(null)
    else if (question.of === 'discard')
      void act(actions.discardDraft({ id: question.draft.id }), 'The draft was discarded')
    else if (question.of === 'reject')
      void act(actions.rejectDraft({ id: question.draft.id, why }), 'The proposal was rejected')
    else
      void act(actions.rollBack({ version: question.version.version, reason: why }), (done) =>
        'proposed' in done ? 'The roll back waits for another admin' : `Rolled back, as version ${done.version}`,
      )
  }
  const apply = (one: PolicyDraft) =>
    void act(actions.applyDraft({ id: one.id, seen: one.updatedAt }), (version) => `Version ${version} is in force`)

  const stuck = (one: PolicyDraft): boolean => one.faults.length > 0 || one.moved.length > 0 || one.changes.length === 0
  return (
    <>
      <AdminHeader
        actions={
          !editing && (
            <Button
              variant="primary"
              onClick={() => setEditing(draft ?? { content: view.governed, basedOn: view.version, reason: '' })}
            >
              {draft ? 'Edit draft' : 'Change policy'}
            </Button>
          )
        }
      >
        <AdminTitle>Policy</AdminTitle>
        <p role="status" className="flex flex-wrap gap-1.5">
          <Badge variant="outline">{view.version === 0 ? 'as it comes' : `version ${view.version}`}</Badge>
          {proposals.length > 0 && (
            <Badge variant="accent">{proposals.length === 1 ? '1 proposal' : `${proposals.length} proposals`}</Badge>
          )}
        </p>
      </AdminHeader>
      <div className="min-h-0 flex-1 overflow-y-auto">
        {refusal && (
          <p
            role="alert"
            className="mx-5 mt-3 break-words rounded-md border border-destructive px-3 py-2 text-[13px] text-destructive max-sm:mx-4"
          >
            {refusal}
          </p>
        )}
        {view.rejected && !draft && (
          <p className="mx-5 mt-3 break-words rounded-md border px-3 py-2 text-[13px] max-sm:mx-4">
            {view.rejected.by ?? 'Another admin'} rejected what you proposed
            {view.rejected.note ? `: “${view.rejected.note}”` : '.'}
          </p>
        )}
        {proposals.map((one) => (
          <ReportSection key={one.id} title="A proposal" note="Another admin asks you to put it in force.">
            <DraftCard draft={one} preview={actions.preview}>
              {!editing && (
                <>
                  <Button variant="primary" disabled={stuck(one) || one.barred !== null} onClick={() => apply(one)}>
                    Apply proposal
                  </Button>
                  <Button onClick={() => ask({ of: 'reject', draft: one })}>Reject…</Button>
                </>
              )}
            </DraftCard>
          </ReportSection>
        ))}
        {draft && (
          <ReportSection title="Your draft" note="Not in force. It is kept until you apply or discard it.">
            <DraftCard draft={draft} preview={actions.preview}>
              {!editing && (
                <>
                  {draft.moved.length > 0 && (
                    <Button
                      variant="primary"
                      onClick={() =>
                        void act(actions.renewDraft({ id: draft.id }), 'The draft stands on the newer policy')
                      }
                    >
                      Bring onto the newer policy
                    </Button>
                  )}
                  {draft.barred === null && (
                    <Button variant="primary" disabled={stuck(draft)} onClick={() => apply(draft)}>
                      Apply
                    </Button>
                  )}
                  {draft.state === 'open' && (
                    <Button
                      disabled={stuck(draft)}
                      onClick={() =>
                        void act(actions.proposeDraft({ id: draft.id }), 'The other admins see your proposal')
                      }
                    >
                      Propose to the other admins
                    </Button>
                  )}
                  <Button variant="quiet" onClick={() => ask({ of: 'discard', draft })}>
                    Discard…
                  </Button>
                </>
              )}
            </DraftCard>
          </ReportSection>
        )}
        <div className={editing ? 'grid grid-cols-[minmax(0,2fr)_minmax(0,3fr)] max-xl:grid-cols-1' : ''}>
          <ReportSection
            title="In force"
            note={
              view.at ? (
                <>
                  {setWords(view)} <When iso={view.at} />
                  {view.reason && ` · “${view.reason}”`}
                </>
              ) : (
                'as it comes'
              )
            }
          >
            <InForce view={view} />
          </ReportSection>
          {editing && (
            <section aria-label="Draft" className="min-w-0 border-l max-xl:border-t max-xl:border-l-0">
              <PolicyForm
                start={editing}
                view={view}
                save={actions.saveDraft}
                tryRule={actions.tryRule}
                onClose={(changed) => (changed ? ask({ of: 'close' }) : setEditing(null))}
                onSaved={() => {
                  setEditing(null)
                  setRefusal(null)
                  toast('The draft was saved', { description: 'It is in force once it is applied.' })
                  router.refresh()
                }}
              />
            </section>
          )}
        </div>
        <ReportSection title="Versions" note="Rolling back makes a new version of an old one.">
          <Versions view={view} onRollBack={editing ? null : (version) => ask({ of: 'roll-back', version })} />
          {view.older && (
            <p className={`${block} pt-2`}>
              <Button asChild size="sm" variant="quiet">
                <Link href={`/admin/policy?before=${view.versions.at(-1)?.version ?? 1}` as Route}>Older versions</Link>
              </Button>
            </p>
          )}
        </ReportSection>
      </div>
      <AlertDialog open={question !== null} onOpenChange={(isOpen) => !isOpen && setQuestion(null)}>
        {question && (
          <AlertDialogContent onCloseAutoFocus={opener.giveBack}>
            <QuestionWords question={question} />
            {(question.of === 'roll-back' || question.of === 'reject') && (
              <Input
                aria-label="Why"
                placeholder="Why"
                maxLength={reasonCharsMax}
                value={why}
                onChange={({ target }) => setWhy(target.value)}
              />
            )}
            <AlertDialogFooter>
              <AlertDialogCancel />
              <AlertDialogAction variant={question.of === 'roll-back' ? 'primary' : 'destructive'} onClick={decide}>
                {doesWords[question.of]}
              </AlertDialogAction>
            </AlertDialogFooter>
          </AlertDialogContent>
        )}
      </AlertDialog>
    </>
  )
}

const QuestionWords = ({ question }: { question: Question }) => {
  if (question.of === 'roll-back')
    return (
      <>
        <AlertDialogTitle>
          Roll back to{' '}
          {question.version.version === 0 ? 'the policy as it comes' : `version ${question.version.version}`}?
        </AlertDialogTitle>
        <AlertDialogDescription>
          The policy becomes what it was then, as a new version. Rules outside the policy stay as they are. Where a
          second admin has to agree, it becomes a proposal.
        </AlertDialogDescription>
      </>
    )
  if (question.of === 'close')
    return (
      <>
        <AlertDialogTitle>Close without saving?</AlertDialogTitle>
        <AlertDialogDescription>
          What you typed since you opened the form is gone then. Save the draft to go on later.
        </AlertDialogDescription>
      </>
    )
  return question.of === 'reject' ? (
    <>
      <AlertDialogTitle>Reject this proposal?</AlertDialogTitle>
      <AlertDialogDescription>
        {question.draft.author ?? 'Its author'} sees that you said no, and why.
      </AlertDialogDescription>
    </>
  ) : (
    <>
      <AlertDialogTitle>Discard your draft?</AlertDialogTitle>
      <AlertDialogDescription>What you typed is gone then. The policy in force stays as it is.</AlertDialogDescription>
    </>
  )
}
