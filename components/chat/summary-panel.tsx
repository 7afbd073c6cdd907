'use client'
import { Check, Copy, RefreshCw } from 'lucide-react'
import { useState } from 'react'
import { Button } from '#components/ui/button.tsx'
import { Progress } from '#components/ui/progress.tsx'
import { Sheet, SheetContent, SheetTitle } from '#components/ui/sheet.tsx'
import { toast } from '#components/ui/toaster.tsx'
import type { SummaryRun } from '#lib/shared/summary-contract.ts'
import { StageLine } from './answer.tsx'
import type { Summary } from './use-summary.ts'

/** How far a summary is, in words. */
export const progressInWords = (run: SummaryRun | null): string => {
  if (!run) return 'Reading'
  if (run.total === 0) return 'Waiting for its turn'
  // The last call joins what the parts have said.
  if (run.total === 1) return 'Summarising'
  return run.done >= run.total - 1 ? 'Joining the parts' : `Read ${run.done} of ${run.total - 1} parts`
}

const madeBy = ({ model, cached }: SummaryRun): string =>
  [
    model ? `AI-made summary · ${model}` : 'Made of the text’s own sentences, no language model asked',
    cached && 'from before: the same text was summarised already',
  ]
    .filter(Boolean)
    .join(' · ')

const CopySummary = ({ text }: { text: string }) => {
  const [copied, setCopied] = useState(false)
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(text)
      setCopied(true)
      setTimeout(() => setCopied(false), 1_600)
    } catch {
      toast.error('The browser refused the clipboard. Select the text and copy it.')
    }
  }
  return (
    <Button size="sm" onClick={copy}>
      {copied ? <Check /> : <Copy />}
      {copied ? 'Copied' : 'Copy'}
    </Button>
  )
}

const Body = ({ summary }: { summary: Summary }) => {
  const { shown, tryAgain } = summary
  if (!shown) return null
  const { run, error } = shown
  if (error)
    return (
      <div role="alert">
        <p className="mb-3 border-destructive border-l-[3px] py-0.5 pl-3 text-[14px]">{error.message}</p>
        {tryAgain ? (
          <Button size="sm" onClick={tryAgain}>
            <RefreshCw />
            Try again
          </Button>
        ) : (
          <p className="text-[13px] text-muted-foreground">Select the text once more to try again.</p>
        )}
      </div>
    )
  if (run?.state === 'done' && run.summary)
    return (
      <>
        <p dir="auto" className="whitespace-pre-wrap text-[15px] leading-[1.6] [overflow-wrap:anywhere]">
          {run.summary}
        </p>
        <p className="mt-3 mb-3 text-muted-foreground text-xs">{madeBy(run)}</p>
        <CopySummary text={run.summary} />
      </>
    )
  return (
    <>
      <StageLine words={progressInWords(run)} live />
      {run && run.total > 1 && (
        <Progress value={run.done} max={run.total} label={progressInWords(run)} className="w-full" />
      )}
      <p className="mt-3 text-[13px] text-muted-foreground">It goes on when you close this or leave the page.</p>
    </>
  )
}

const inWords = ({ shown }: Summary): string => {
  if (!shown || shown.error) return ''
  return shown.run?.state === 'done' ? 'The summary is ready.' : 'A summary is being made.'
}

/** The summary over the edge of the screen; closing it does not end the work. */
export const SummaryPanel = ({ summary }: { summary: Summary }) => (
  <Sheet open={summary.open} onOpenChange={(open) => !open && summary.close()}>
    <SheetContent
      side="right"
      aria-describedby={undefined}
      onCloseAutoFocus={(event) => {
        event.preventDefault()
        const { current } = summary.opener
        if (current?.isConnected) current.focus({ preventScroll: true })
      }}
    >
      <div className="flex h-[52px] shrink-0 items-center border-b pr-12 pl-4">
        <SheetTitle className="truncate">
          {summary.shown?.of === 'selection' ? 'Summary of the selection' : 'Summary of the conversation'}
        </SheetTitle>
      </div>
      <section
        aria-label="Summary"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard
        tabIndex={0}
        className="min-h-0 flex-1 overflow-y-auto p-4 -outline-offset-2"
      >
        <Body summary={summary} />
      </section>
      <div role="status" aria-live="polite" className="sr-only">
        {inWords(summary)}
      </div>
    </SheetContent>
  </Sheet>
)
