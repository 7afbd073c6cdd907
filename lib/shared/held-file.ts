/** Files whose bytes nobody gets, since the virus scanner has not let them through: why not, in words. */
import type { IngestFailureCode, Stage } from './admin-contract.ts'
import { AppError } from './errors.ts'

/** What is known of a version's file. `isScanned` is always true where no scanner is set. */
export type FileState = { isScanned: boolean; stage: Stage; failureCode: IngestFailureCode | null }

const infected = 'A virus was found in this file, so it is not handed out.'

/** Why the file is not handed out; null when it is. */
export const whyHeld = ({ isScanned, stage, failureCode }: FileState): string | null => {
  // Also where the scanner was taken away since, or an earlier version of the same file was read.
  if (stage === 'failed' && failureCode === 'infected') return infected
  if (isScanned) return null
  if (stage !== 'failed') return new AppError('scan-pending').publicMessage
  return failureCode === 'too-large-to-scan'
    ? 'This file is too large for the virus scanner, so it is not handed out.'
    : 'The virus scanner has not looked at this file, so it is not handed out. Retry the document first.'
}

/** For whoever comes upon a file that is locked away. */
export const infectedFile = (): AppError => new AppError('conflict', { message: infected })

/** Throws `scan-pending` (it waits for the scanner) or `conflict` (it did not pass), in words, unless the file is handed out. */
export const assertHandedOut = (file: FileState): void => {
  const message = whyHeld(file)
  if (message) throw new AppError(file.stage === 'failed' ? 'conflict' : 'scan-pending', { message })
}
