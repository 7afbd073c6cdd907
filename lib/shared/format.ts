/** Numbers, times and sizes in words, the same on every screen. Dates are relative up to a week, then absolute. */

const dayMs = 86_400_000

export const formatWhen = (iso: string, nowMs: number = Date.now()): string => {
  const then = new Date(iso)
  const agoMs = nowMs - then.getTime()
  if (agoMs < 60_000) return 'now'
  if (agoMs < 3_600_000) return `${Math.floor(agoMs / 60_000)} min`
  if (agoMs < dayMs) return `${Math.floor(agoMs / 3_600_000)} h`
  if (agoMs < 7 * dayMs) return `${Math.floor(agoMs / dayMs)} d`
  return new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', year: 'numeric' }).format(then)
}

/** `a moment ago`, `5 min ago`, `on 3 Nov 2026`. */
export const formatAgo = (iso: string, nowMs?: number): string => {
  const when = formatWhen(iso, nowMs)
  return when === 'now' ? 'a moment ago' : /^\d+ (min|h|d)$/.test(when) ? `${when} ago` : `on ${when}`
}

/** How long people take: `less than a minute`, `12 min`, `3 h`, `2 d`. */
export const formatSpan = (ms: number): string =>
  ms < 60_000
    ? 'less than a minute'
    : ms < 90 * 60_000
      ? `${Math.round(ms / 60_000)} min`
      : ms < 36 * 3_600_000
        ? `${Math.round(ms / 3_600_000)} h`
        : `${Math.round(ms / dayMs)} d`

export const formatDuration = (ms: number): string =>
  ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(ms < 10_000 ? 2 : 1)} s`

/** Micro-dollars in the small unit where it is small: `0.21 ct`, `1.20 USD`; an unknown price is said to be unknown. */
export const formatCost = (micros: number | null): string => {
  if (micros === null) return 'unknown'
  if (micros === 0) return '0 ct'
  if (micros < 1_000_000) return `${(micros / 10_000).toFixed(micros < 1_000 ? 3 : 2)} ct`
  return `${(micros / 1_000_000).toFixed(2)} USD`
}

export const formatBytes = (bytes: number): string => {
  if (bytes < 1_024) return `${bytes} B`
  if (bytes < 1_048_576) return `${Math.round(bytes / 1_024)} KB`
  return `${(bytes / 1_048_576).toFixed(1)} MB`
}

export const formatCount = (count: number): string => new Intl.NumberFormat('en-US').format(count)
