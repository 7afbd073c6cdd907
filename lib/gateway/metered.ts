/**
 * One resilient call and its money: the most it can cost is reserved before, what it cost is settled after, and every try is a line of
 * the ledger. Everything that asks a model at once goes this way; what is asked and who may be is decided before.
 */
import { log } from '#lib/log.ts'
import { countCall } from '#lib/metrics.ts'
import { AppError } from '#lib/shared/errors.ts'
import { estimateTokens } from '#lib/shared/text.ts'
import { type Admission, admit } from './admit.ts'
import type { Attempt, ModelEnd } from './call.ts'
import { costOf } from './cost.ts'
import { callFigures, ledgerLine, type NewModelCall } from './meter.ts'
import { type ResilientCall, runCandidates } from './resilience.ts'

/** A stored line of what a call cost. */
export type LedgerLine = ReturnType<typeof ledgerLine>

export type MeteredEvent =
  | { type: 'text'; text: string }
  | { type: 'replace' }
  | { type: 'end'; end: ModelEnd; costMicros: number | null }

type MeteredCall = Pick<ResilientCall, 'candidates' | 'options' | 'lane' | 'signal' | 'deadlines' | 'onTurn'> &
  Pick<Admission, 'viewer' | 'settings' | 'tokensIn' | 'tokensOutMax'> & {
    /** What every line says of the call. */
    line: Omit<NewModelCall, 'outcome'>
    /** What only the line of the answer says. */
    about?: (end: ModelEnd, replaced: boolean) => Partial<NewModelCall>
    /** Told what came instead of an answer; it may say anything, also what was sent. */
    onReceived?: (received: string) => void
    /** Gets the lines once, at the end, whatever the end is. */
    record: (lines: LedgerLine[]) => Promise<void> | void
  }

/** Throws as `admit` and `runCandidates` do. */
export const meteredCall = async function* (call: MeteredCall): AsyncGenerator<MeteredEvent> {
  const { candidates, options, lane, signal, deadlines, viewer, settings, tokensIn, tokensOutMax, line } = call
  const reservation = await admit({ viewer, settings, tokensIn, tokensOutMax, candidates })
  const attempts: Attempt[] = []
  let written = ''
  let end: ModelEnd | undefined
  let replaced = false
  try {
    for await (const event of runCandidates({
      candidates,
      options,
      lane,
      signal,
      ...(deadlines ? { deadlines } : {}),
      ...(call.onTurn ? { onTurn: call.onTurn } : {}),
      onAttempt: (attempt, received) => {
        attempts.push(attempt)
        if (received) call.onReceived?.(received)
      },
    })) {
      if (event.type === 'end') end = event
      else if (event.type === 'replace') {
        replaced = true
        yield { type: 'replace' }
      } else {
        written += event.text
        yield event
      }
    }
    if (!end) throw new AppError('model-failed', { context: { reason: 'no end' } })
    yield { type: 'end', end, costMicros: costOf(end.candidate, end.usage) }
  } finally {
    const byKey = new Map(candidates.map((candidate) => [candidate.key, candidate]))
    const failed = attempts
      .filter(({ outcome }) => outcome !== 'ok')
      .map((attempt) => {
        const candidate = byKey.get(attempt.key)
        // What broke off after its first words was paid for: the prompt, and at most what was written.
        const usage = { in: tokensIn, out: estimateTokens(written), cached: 0 }
        const paid = attempt.firstTokenMs !== undefined && candidate !== undefined
        return {
          ...line,
          tier: candidate?.tier ?? line.tier ?? null,
          provider: candidate?.provider.name ?? null,
          requestedModel: attempt.modelId,
          outcome: attempt.outcome,
          costMicros: paid ? costOf(candidate, usage) : 0,
          ...(paid ? { tokensIn: usage.in, tokensOut: usage.out, usageEstimated: true } : {}),
          firstTokenMs: attempt.firstTokenMs ?? null,
          totalMs: attempt.durationMs,
        }
      })
    const answered = end ? [{ ...line, ...callFigures(end), ...call.about?.(end, replaced) }] : []
    const lines = [...failed, ...answered].map(ledgerLine)
    await reservation
      .settle({
        costMicros: lines.reduce((sum, { costMicros }) => sum + (costMicros ?? 0), 0),
        tokens: lines.reduce((sum, one) => sum + (one.tokensIn ?? 0) + (one.tokensOut ?? 0), 0),
      })
      .catch((error: unknown) =>
        log.error({ err: error }, 'a reservation was not settled; it is given back when it expires'),
      )
    for (const one of lines)
      countCall({
        ...one,
        cache: null,
        firstTokenMs: one.firstTokenMs ?? null,
        totalMs: one.totalMs ?? null,
        tokensIn: one.tokensIn ?? null,
        tokensOut: one.tokensOut ?? null,
        costMicros: one.costMicros ?? null,
      })
    await call.record(lines)
  }
}
