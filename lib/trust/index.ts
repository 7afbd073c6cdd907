/**
 * Is it supported? What an answer says, sentence by sentence, held against the passages it cites, while it streams; and how far it
 * is to be trusted, as one calibrated number with its reasons in words.
 *
 * Guarantees: works without an encoder and without a judge; a sentence is supported by passages it cites and by nothing else; it
 * never throws into the answer's way: a check that cannot be made ends as confidence null, which a policy treats as low, so that a
 * person looks. It decides nothing: policy holds, warns and shows.
 */
export {
  calibrationError,
  type Decision,
  logLoss,
  type Recalibration,
  recalibrate,
  recalibrated,
  reliability,
  unchanged,
  wilsonInterval,
} from './calibrate.ts'
export { clarify } from './clarify.ts'
export { createJudge } from './judge.ts'
export { createMeaning } from './meaning.ts'
export type {
  Judge,
  Meaning,
  Verification,
  Verifier,
} from './verdict.ts'
export { createVerifier, verifyAnswer } from './verify.ts'
