import type { Route } from 'next'
import Link from 'next/link'
import type { ReactNode } from 'react'
import { Badge } from '#components/ui/badge.tsx'
import { Button } from '#components/ui/button.tsx'
import type { Trace } from '#lib/shared/admin-contract.ts'
import type { ExplainedPassage, Explanation } from '#lib/shared/explain-contract.ts'
import { formatCost, formatCount } from '#lib/shared/format.ts'
import { pageInWords } from '#lib/shared/page-unit.ts'
import { AdminHeader, AdminTitle } from './admin-header.tsx'
import { When } from './when.tsx'

const Part = ({ title, children }: { title: string; children: ReactNode }) => (
  <section className="border-b py-5 last:border-b-0">
    <h2 className="mb-2 font-semibold text-[14px]">{title}</h2>
    {children}
  </section>
)

const Facts = ({ facts }: { facts: readonly (readonly [string, ReactNode])[] }) => (
  <dl className="grid grid-cols-[minmax(110px,auto)_minmax(0,1fr)] gap-x-4 gap-y-1.5 text-[13.5px]">
    {facts.map(([name, value]) => (
      <div key={name} className="contents">
        <dt className="text-muted-foreground">{name}</dt>
        <dd className="min-w-0 break-words">{value}</dd>
      </div>
    ))}
  </dl>
)

const decisions: Record<NonNullable<Explanation['reviewer']>['state'], string> = {
  open: 'waits for a decision',
  withdrawn: 'withdrawn',
  approved: 'approved',
  edited: 'corrected',
  rejected: 'rejected',
  expired: 'nobody decided in time',
}
const Reviewed = ({ state, at, by }: NonNullable<Explanation['reviewer']>) => (
  <>
    {decisions[state]}
    {by && (
      <>
        {' '}
        by <bdi>{by}</bdi>
      </>
    )}{' '}
    · <When iso={at} />
  </>
)

const Lines = ({ lines, none }: { lines: readonly string[]; none: string }) =>
  lines.length === 0 ? (
    <p className="text-[13.5px] text-muted-foreground">{none}</p>
  ) : (
    <ul className="list-disc space-y-1 pl-5 text-[13.5px]">
      {lines.map((line) => (
        <li key={line}>
          <bdi>{line}</bdi>
        </li>
      ))}
    </ul>
  )

const closedWords = 'You may not read this document, or it is gone.'

const Passage = ({ passage }: { passage: ExplainedPassage }) => {
  const { n, title, text, quotes, mediaType, page } = passage
  const place = mediaType && pageInWords({ mediaType, page })
  return (
    <li className="rounded-lg border px-3.5 py-3">
      <div className="flex flex-wrap items-baseline gap-x-2 gap-y-1 text-[13px]">
        {n !== null && <span className="num text-muted-foreground">{n}</span>}
        <bdi className="min-w-0 break-words font-medium">{title ?? 'A document'}</bdi>
        {place && <span className="text-muted-foreground">{place}</span>}
        {quotes.length > 0 && <Badge variant="success">Cited</Badge>}
      </div>
      {text === null ? (
        <p className="mt-1.5 text-[13px] text-muted-foreground">{closedWords}</p>
      ) : (
        <p
          dir="auto"
          className="mt-1.5 whitespace-pre-wrap break-words rounded bg-source px-2.5 py-2 font-serif text-[14px]"
        >
          {text}
        </p>
      )}
    </li>
  )
}

const ranked = (leg: ExplainedPassage['lexical']): string => (leg ? `${leg.rank} (${leg.score.toFixed(3)})` : '—')

const Candidates = ({ caption, passages }: { caption: string; passages: readonly ExplainedPassage[] }) => (
  // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls sideways must be reachable by keyboard
  <section aria-label={caption} tabIndex={0} className="overflow-x-auto">
    <table className="w-full border-collapse text-[13px]">
      <caption className="sr-only">{caption}</caption>
      <thead>
        <tr className="border-b text-left text-muted-foreground text-xs">
          {['Passage', 'By words', 'By meaning', 'Score', 'What became of it'].map((title) => (
            <th key={title} scope="col" className="whitespace-nowrap py-1.5 pr-3 font-medium">
              {title}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {passages.map((one) => (
          <tr key={one.chunkId} className="border-b last:border-b-0">
            <th scope="row" className="min-w-40 py-1.5 pr-3 text-left align-top font-normal">
              <bdi>{one.title ?? closedWords}</bdi>
              <span className="num block text-muted-foreground text-xs">passage {one.chunkId}</span>
            </th>
            <td className="num whitespace-nowrap py-1.5 pr-3 align-top">{ranked(one.lexical)}</td>
            <td className="num whitespace-nowrap py-1.5 pr-3 align-top">{ranked(one.vector)}</td>
            <td className="num py-1.5 pr-3 align-top">{one.score === null ? '—' : one.score.toFixed(3)}</td>
            <td className="min-w-48 py-1.5 align-top">
              {one.dropped ?? (one.quotes.length > 0 ? 'Read and cited' : 'Read, not cited')}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  </section>
)

const Calls = ({ calls }: { calls: Trace['calls'] }) => (
  <ul className="space-y-3">
    {calls.map((call) => (
      <li key={call.id} className="rounded-lg border px-3.5 py-3">
        <Facts
          facts={[
            ['Task', call.task],
            ['Model', [call.provider, call.servedModel ?? call.requestedModel].filter(Boolean).join(' · ') || '—'],
            ['Route', [call.route, call.tier].filter(Boolean).join(' · ') || '—'],
            ['Prompt', call.promptName ? `${call.promptName}, ${call.promptVersion}, ${call.promptHash}` : '—'],
            ['Policy version', call.policyVersion ?? '—'],
            ['Outcome', call.outcome],
            ['Tokens', `${formatCount(call.tokensIn ?? 0)} in, ${formatCount(call.tokensOut ?? 0)} out`],
            ['Cost', formatCost(call.costMicros)],
          ]}
        />
      </li>
    ))}
  </ul>
)

const Full = ({ full, passages }: { full: NonNullable<Explanation['full']>; passages: Explanation['passages'] }) => {
  const { versions, askedBy, candidates, trace, tokens, costMicros } = full
  return (
    <>
      <Part title="For admins">
        <Facts
          facts={[
            ['Asked by', <bdi key="who">{askedBy.name ?? 'A person who is gone'}</bdi>],
            ['Prompt', versions?.prompt ?? 'no model was asked'],
            ['Encoder', versions?.encoder ?? '—'],
            ['Index', versions?.index ?? '—'],
            ['Tokens', tokens ? `${formatCount(tokens.in)} in, ${formatCount(tokens.out)} out` : '—'],
            ['Cost', costMicros === null && !tokens ? '—' : formatCost(costMicros)],
          ]}
        />
      </Part>
      {(passages.length > 0 || candidates.length > 0) && (
        <Part title="Candidates, with their ranks and scores">
          <Candidates caption="Candidates" passages={[...passages, ...candidates]} />
        </Part>
      )}
      {trace && trace.calls.length > 0 && (
        <Part title="Calls of models">
          <Calls calls={trace.calls} />
        </Part>
      )}
      {trace ? (
        <p className="py-5">
          <Button asChild>
            <Link href={`/admin/traces/${trace.id}` as Route} prefetch={false}>
              Every step, with the prompts
            </Link>
          </Button>
        </p>
      ) : (
        <p className="py-5 text-[13.5px] text-muted-foreground">
          No trace of this answer is kept: it was deleted by retention, or could not be stored.
        </p>
      )}
    </>
  )
}

/** What an answer rests on, in words; for admins with what it takes to make it once more. */
export const WhyScreen = ({ explanation }: { explanation: Explanation }) => {
  const { own, chatId, question, askedAt, searched, passages, leftOut, warnings, model, kept, confidence } = explanation
  const { policyVersion, reviewer, route, checks, full } = explanation
  return (
    <>
      <AdminHeader
        actions={
          own && (
            <Button asChild>
              <Link href={`/c/${chatId}` as Route}>Back to the conversation</Link>
            </Button>
          )
        }
      >
        <AdminTitle>Why this answer</AdminTitle>
      </AdminHeader>
      <div className="min-h-0 flex-1 overflow-y-auto">
        <div className="mx-auto max-w-3xl px-5 pb-10 max-sm:px-4">
          <Part title="The question">
            <p dir="auto" className="whitespace-pre-wrap break-words text-[15px]">
              {question}
            </p>
            <p className="mt-1 text-[13px] text-muted-foreground">
              <When iso={askedAt} />
            </p>
          </Part>
          <Part title="How it was answered">
            <Facts
              facts={[
                ['Way', route],
                ...(searched && searched.text !== question
                  ? [['Searched for', <bdi key="searched">{searched.text}</bdi>] as const]
                  : []),
                ...(searched ? [['Where', <bdi key="where">{searched.where.join('; ')}</bdi>] as const] : []),
                [
                  'Written by',
                  model
                    ? model.kind === 'built-in'
                      ? 'the built-in answerer, which quotes sentences'
                      : model.id
                    : 'no model',
                ],
                ...(kept ? [['First given', <When key="kept" iso={kept.answeredAt} />] as const] : []),
                ...(confidence
                  ? [
                      [
                        'Confidence',
                        [confidence.value?.toFixed(2) ?? 'not known', ...confidence.reasons].join(' · '),
                      ] as const,
                    ]
                  : []),
                ['Policy version', policyVersion ?? 'not recorded'],
                ['Reviewed', reviewer ? <Reviewed key="reviewed" {...reviewer} /> : 'by nobody'],
              ]}
            />
          </Part>
          {warnings.length > 0 && (
            <Part title="Warnings">
              <Lines lines={warnings} none="" />
            </Part>
          )}
          <Part title={passages.length > 0 ? 'What was read' : 'Nothing was read'}>
            {passages.length > 0 ? (
              <ol className="space-y-2.5">
                {passages.map((passage) => (
                  <Passage key={passage.chunkId} passage={passage} />
                ))}
              </ol>
            ) : (
              <p className="text-[13.5px] text-muted-foreground">No passage of a document went into this answer.</p>
            )}
          </Part>
          <Part title="What was left out">
            <Lines lines={leftOut} none="Nothing that was found was left out for a reason of its own." />
          </Part>
          {checks.length > 0 && (
            <Part title="Checks">
              <ul className="space-y-1.5 text-[13.5px]">
                {checks.map(({ name, words, passed }) => (
                  <li key={`${name} ${words}`} className="flex flex-wrap gap-x-2.5 gap-y-1">
                    <Badge variant={passed ? 'success' : 'warning'}>{passed ? 'Fine' : 'Found'}</Badge>
                    <span>
                      {name}: <bdi>{words}</bdi>
                    </span>
                  </li>
                ))}
              </ul>
            </Part>
          )}
          {full && <Full full={full} passages={passages} />}
        </div>
      </div>
    </>
  )
}
