import Link from 'next/link'
import { Fragment, type ReactNode } from 'react'
import { Badge } from '#components/ui/badge.tsx'
import type { TraceCall, TraceFilter } from '#lib/shared/admin-contract.ts'
import { formatCost, formatCount, formatDuration } from '#lib/shared/format.ts'
import { outcomeWords } from './outcome-words.ts'
import { tracesLike } from './trace-link.ts'
import { cachedWords, isFailedCall } from './waterfall.ts'

/** A fact that leads to the other traces of which it is true. */
const Like = ({ filter, children }: { filter: TraceFilter; children: ReactNode }) => (
  <Link
    href={tracesLike(filter)}
    prefetch={false}
    title="Show traces like this"
    className="underline decoration-input underline-offset-2 hover:decoration-current"
  >
    {children}
  </Link>
)

const tokensIn = ({ tokensIn: sent, tokensCached: cached }: TraceCall): string =>
  sent === null
    ? '—'
    : `${formatCount(sent)}${cached ? `, of which ${formatCount(cached)} from the provider's own cache` : ''}`

const tokensOut = ({ tokensOut: written, tokensReasoning: reasoning }: TraceCall): string =>
  written === null
    ? '—'
    : `${formatCount(written)}${reasoning ? `, of which ${formatCount(reasoning)} for reasoning` : ''}`

const saved = ({ savedMicros, savedTokens }: TraceCall): string =>
  [
    ...(savedMicros > 0 ? [formatCost(savedMicros)] : []),
    ...(savedTokens > 0 ? [`${formatCount(savedTokens)} tokens`] : []),
  ].join(', ')

type Line = { name: string; value: ReactNode } | null

const linesOf = (call: TraceCall, reason: string | null): Line[] => [
  call.requestedModel === null
    ? null
    : {
        name: 'Asked',
        value: (
          <>
            {call.provider !== null && (
              <>
                <Like filter={{ provider: call.provider }}>{call.provider}</Like>
                {' · '}
              </>
            )}
            <Like filter={{ model: call.requestedModel }}>{call.requestedModel}</Like>
          </>
        ),
      },
  call.servedModel === null
    ? null
    : { name: 'Answered as', value: <Like filter={{ model: call.servedModel }}>{call.servedModel}</Like> },
  call.fingerprint === null
    ? null
    : { name: 'Fingerprint', value: <Like filter={{ fingerprint: call.fingerprint }}>{call.fingerprint}</Like> },
  call.cache === null ? null : { name: 'Answer', value: cachedWords(call.cache) },
  call.cache !== null ? null : { name: 'Tokens in', value: tokensIn(call) },
  call.cache !== null ? null : { name: 'Tokens out', value: tokensOut(call) },
  call.usageEstimated ? { name: 'Counted', value: 'by us: the provider gave no count that can be right' } : null,
  { name: 'Cost', value: formatCost(call.costMicros) },
  saved(call) ? { name: 'Saved', value: saved(call) } : null,
  call.firstTokenMs === null ? null : { name: 'First token after', value: formatDuration(call.firstTokenMs) },
  call.totalMs === null ? null : { name: 'Took', value: formatDuration(call.totalMs) },
  call.attempts > 1 ? { name: 'Tries', value: `${formatCount(call.attempts)}, this one was the last` } : null,
  call.route === null && call.tier === null
    ? null
    : {
        name: 'Route',
        value: (
          <>
            {call.route !== null && <Like filter={{ route: call.route }}>{call.route}</Like>}
            {call.tier !== null && call.tier !== call.route && (
              <>
                {call.route !== null && ', answered by '}
                <Like filter={{ tier: call.tier }}>{call.tier}</Like>
              </>
            )}
          </>
        ),
      },
  reason === null ? null : { name: 'Because', value: reason },
  call.promptName === null
    ? null
    : {
        name: 'Prompt',
        value: (
          <>
            {call.promptName} {call.promptVersion}
            {call.promptHash !== null && (
              <>
                {', '}
                <Like filter={{ prompt: call.promptHash }}>{call.promptHash.slice(0, 12)}</Like>
              </>
            )}
          </>
        ),
      },
  call.policyVersion === null
    ? null
    : {
        name: 'Policy',
        value: <Like filter={{ policy: call.policyVersion }}>version {call.policyVersion}</Like>,
      },
  { name: 'Feature', value: <Like filter={{ feature: call.feature }}>{call.feature}</Like> },
  call.flags.length === 0
    ? null
    : {
        name: 'Flags',
        value: call.flags.map((flag, at) => (
          <Fragment key={flag}>
            {at > 0 && ', '}
            <Like filter={{ flag }}>{flag}</Like>
          </Fragment>
        )),
      },
]

/** What the ledger knows of each call of a step. Every fact leads to the other traces of which it is true. */
export const CallFacts = ({
  calls,
  reasonOf,
}: {
  calls: readonly TraceCall[]
  reasonOf: (call: TraceCall) => string | null
}) =>
  calls.map((call, at) => (
    <section key={call.id} aria-label={`Call ${at + 1} of ${calls.length}`} className="mt-5">
      <h3 className="mb-1.5 flex flex-wrap items-center gap-2 font-medium text-[12.5px] text-muted-foreground tracking-normal">
        {calls.length > 1 ? `Call ${at + 1} of ${calls.length}` : 'In the ledger'}
        <Badge variant={isFailedCall(call) ? 'destructive' : call.outcome === 'ok' ? 'success' : 'default'}>
          {call.cache === null ? outcomeWords(call.outcome) : 'From the cache'}
        </Badge>
      </h3>
      <dl className="grid grid-cols-[120px_1fr] gap-x-3 gap-y-[5px] text-[13px]">
        {linesOf(call, reasonOf(call)).map(
          (line) =>
            line && (
              <Fragment key={line.name}>
                <dt className="text-muted-foreground">{line.name}</dt>
                <dd className="num min-w-0 break-words">{line.value}</dd>
              </Fragment>
            ),
        )}
      </dl>
    </section>
  ))
