import { describe, expect, it } from 'vitest'
import { isTimeZone, quietUntil } from './quiet-hours.ts'

const night = { from: '22:00', to: '06:00', timeZone: 'Europe/Berlin', jobs: ['graph' as const] }
const at = (iso: string): Date => new Date(iso)

describe('quiet hours', () => {
  it('run over midnight in the time zone of the workspace, its end not in them', () => {
    // Berlin is two hours before UTC in summer, one in winter.
    expect(quietUntil(night, 'graph', at('2026-07-01T19:59:59Z'))).toBeNull()
    expect(quietUntil(night, 'graph', at('2026-07-01T20:00:00Z'))).toEqual(at('2026-07-02T04:00:00Z'))
    expect(quietUntil(night, 'graph', at('2026-07-02T03:59:30Z'))).toEqual(at('2026-07-02T04:00:00Z'))
    expect(quietUntil(night, 'graph', at('2026-07-02T04:00:00Z'))).toBeNull()
    expect(quietUntil(night, 'graph', at('2026-12-01T21:00:00Z'))).toEqual(at('2026-12-02T05:00:00Z'))
  })

  it('hold within a day too, for the jobs that are named and no other', () => {
    const noon = { from: '12:00', to: '13:30', timeZone: 'UTC', jobs: ['sources' as const] }
    expect(quietUntil(noon, 'sources', at('2026-07-01T12:30:00Z'))).toEqual(at('2026-07-01T13:30:00Z'))
    expect(quietUntil(noon, 'graph', at('2026-07-01T12:30:00Z'))).toBeNull()
    expect(quietUntil(null, 'graph', at('2026-07-01T12:30:00Z'))).toBeNull()
    expect(quietUntil({ ...noon, timeZone: 'Mars/Base' }, 'sources', at('2026-07-01T12:30:00Z'))).toBeNull()
    expect(['Europe/Berlin', 'UTC', '', 'Mars/Base'].map(isTimeZone)).toEqual([true, true, false, false])
  })
})
