/** What things on the Models screen are called. */

import { formatCount } from '#lib/shared/format.ts'
import type { Tier } from '#lib/shared/gateway-settings.ts'
import {
  type CanaryRow,
  type CanaryState,
  type KnownPrice,
  localShareOf,
  type ModelUse,
  type Place,
  type ProviderKind,
  type ProviderRow,
  type RouteRow,
  type UseRange,
} from '#lib/shared/models-contract.ts'
import type { BreakerRow } from '#lib/shared/operations-contract.ts'
import { formatDollars, shareText } from './models-values.ts'
import { outcomeWords } from './outcome-words.ts'

export const kindWords: Record<ProviderKind, string> = {
  compatible: 'Compatible server (Ollama, vLLM, hosted)',
  openai: 'OpenAI',
  anthropic: 'Anthropic',
  google: 'Google Gemini',
}

export const tierWords: Record<Tier, { title: string; note: string }> = {
  fast: { title: 'Fast', note: 'easy questions, titles, rewriting' },
  standard: { title: 'Standard', note: 'most questions' },
  flagship: { title: 'Flagship', note: 'the hardest questions' },
}

/** In cents where that is exact: `$4.50`, `$0.075`. */
const dollars = (micros: number): string =>
  `$${micros % 10_000 === 0 ? (micros / 1_000_000).toFixed(2) : formatDollars(micros)}`

/** A price as it stands in a row: input and output, a million tokens each. */
export const priceWords = ({ source, input, output }: KnownPrice): string => {
  if (source === 'free') return 'free, our own machine'
  if (source === 'unknown') return 'price unknown'
  return `${dollars(input)} in, ${dollars(output)} out${source === 'table' ? ', by the price list' : ''}`
}

const breakerTitles: Record<BreakerRow['state'], string> = {
  closed: 'breaker closed',
  'half-open': 'breaker half open',
  open: 'breaker open',
}

/** A breaker that is not closed, and why. */
export const breakerWords = ({ state, reason }: Pick<BreakerRow, 'state' | 'reason'>): string =>
  `${breakerTitles[state]}${reason ? `: ${outcomeWords(reason).toLowerCase()}` : ''}`

/** What an admin allows a provider a minute; null where nothing is set. */
export const limitWords = ({
  requestsPerMinute,
  tokensPerMinute,
}: Pick<ProviderRow, 'requestsPerMinute' | 'tokensPerMinute'>): string | null => {
  const limits = [
    requestsPerMinute === null ? '' : `${formatCount(requestsPerMinute)} requests`,
    tokensPerMinute === null ? '' : `${formatCount(tokensPerMinute)} tokens`,
  ].filter(Boolean)
  return limits.length > 0 ? `at most ${limits.join(' and ')} a minute` : null
}

export const useRangeWords: Record<UseRange, string> = { '7d': '7 days', '30d': '30 days' }

export const placeWords: Record<Place, { title: string; note: string }> = {
  local: { title: 'Local models', note: 'on our own machines' },
  hosted: { title: 'Hosted models', note: 'at a vendor' },
  'built-in': { title: 'The built-in answerer', note: 'quotes when no model answers; counted apart' },
  gone: { title: 'Providers that are gone', note: 'deleted or renamed; counted as not local' },
}

/** How far the target is reached, in a sentence. */
export const targetWords = (use: Pick<ModelUse, 'places'>, target: number): string => {
  const share = localShareOf(use)
  if (share === null) return 'No model took anything'
  const { local, hosted, gone } = use.places
  const all = local.taken + hosted.taken + gone.taken
  const verdict = share >= target ? 'reached' : 'missed'
  // A target that is missed by a hair must not look met.
  const rounded = shareText(share)
  const shown =
    share < target && rounded === shareText(target) ? `${(Math.floor(share * 1_000) / 10).toFixed(1)} %` : rounded
  return `${shown} of ${formatCount(all)} ${all === 1 ? 'call' : 'calls'}; the target of ${shareText(target)} is ${verdict}`
}

const routeTitles: Record<string, string> = {
  fast: 'Fast',
  standard: 'Standard',
  flagship: 'Flagship',
  'task model': 'Set for the task',
  canary: 'Checks of models',
}

/** A route, and the tier of its model where that is another thing. */
export const routeWords = ({
  route,
  tier,
}: Pick<RouteRow, 'route' | 'tier'>): { title: string; note: string | null } => ({
  title: route === null ? 'Without a route' : (routeTitles[route] ?? route),
  note: tier === null || tier === route ? null : `${(routeTitles[tier] ?? tier).toLowerCase()} model`,
})

type Look = { words: string; variant: 'success' | 'warning' | 'destructive' | 'outline' }

const canaryLooks: Record<CanaryState, Look> = {
  ok: { words: 'as it was', variant: 'success' },
  changed: { words: 'changed, as good', variant: 'warning' },
  dropped: { words: 'worse than it was', variant: 'destructive' },
  unreachable: { words: 'did not answer', variant: 'warning' },
}

export const canaryLook = (canary: CanaryRow | null): Look => {
  if (!canary) return { words: 'not checked yet', variant: 'outline' }
  // Its first check is running, or it was never reached: there is nothing that it could have changed from.
  if (canary.score === null && canary.baselineScore === null)
    return { words: 'has not answered yet', variant: 'warning' }
  return canaryLooks[canary.state]
}

const servedWords = (served: string | null, fingerprint: string | null): string =>
  `${served ?? 'a name it did not say'}${fingerprint ? ` (${fingerprint})` : ''}`

/** What the last check showed beside the first one. */
export const canaryWords = ({
  state,
  score,
  baselineScore,
  servedModel,
  baselineServed,
  fingerprint,
  baselineFingerprint,
}: CanaryRow): string => {
  const parts: string[] = []
  if (state !== 'unreachable' && score !== null)
    parts.push(
      `${shareText(score)} of its checks hold${baselineScore === null || baselineScore === score ? '' : `, ${shareText(baselineScore)} did at first`}.`,
    )
  if (servedModel !== null || fingerprint !== null) {
    const moved = baselineServed !== null && (servedModel !== baselineServed || fingerprint !== baselineFingerprint)
    parts.push(
      `It answers as ${servedWords(servedModel, fingerprint)}${moved ? `; it was ${servedWords(baselineServed, baselineFingerprint)}` : ''}.`,
    )
  }
  return parts.join(' ')
}

/** When models are checked. */
export const scheduleWords = (everyHours: number): string =>
  `A few fixed questions, ${everyHours === 0 ? 'when somebody asks for it' : everyHours === 1 ? 'every hour' : `every ${everyHours} hours`} and whenever a model answers under another name`

export const taskWords = (task: string): string =>
  `${task.charAt(0).toUpperCase()}${task.slice(1).replaceAll('-', ' ')}`
