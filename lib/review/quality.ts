/** How often answers are wrong, with how sure that is: counts alone, of the viewer's workspace. */
import { listQuality } from '#db/reports/quality.ts'
import { reader } from '#db/reports/reader.ts'
import type { Share } from '#lib/shared/label-contract.ts'
import {
  type AnswerQuality,
  type QualityCounts,
  type QualityFault,
  type QualityFilter,
  type QualityGroup,
  type QualityRow,
  qualityFaultNames,
} from '#lib/shared/quality-contract.ts'
import type { Viewer } from '#lib/shared/viewer.ts'
import { wilsonInterval } from '#lib/trust/index.ts'

const withIntervals = ({ faults, ...row }: QualityCounts): QualityRow => ({
  ...row,
  faults: Object.fromEntries(
    qualityFaultNames.map((fault) => [
      fault,
      { ...faults[fault], ...wilsonInterval(faults[fault].part, faults[fault].whole) },
    ]),
  ) as Record<QualityFault, Share>,
})

/** Of answers given in a stretch of time that `filter` leaves, all and by `by`. Null: none was given. The caller has asked for `health.read`. */
export const answerQuality = async (
  viewer: Viewer,
  stretch: { from: Date; to: Date },
  by: QualityGroup,
  filter: QualityFilter = {},
): Promise<AnswerQuality | null> => {
  const db = reader()
  const [[all], rows] = await Promise.all([
    listQuality(db, viewer, stretch, { by: null, filter }),
    listQuality(db, viewer, stretch, { by, filter }),
  ])
  return all && all.answers > 0 ? { all: withIntervals(all), rows: rows.map(withIntervals) } : null
}
