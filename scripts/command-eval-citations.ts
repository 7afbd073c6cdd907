/** `eval:citations`: what can be said in figures about citations, on judged claims and on the answers to the demo questions. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type CitationReport, evaluateCitations, groundednessFiles } from '#lib/evals/index.ts'
import { closeGateway } from '#lib/gateway/index.ts'
import { WrongUse } from './connect.ts'

export type EvalCitationsOptions = { json?: boolean }

const shown = (share: number): string => share.toFixed(3).padStart(9)

const tableOf = ({ support, picks, answers }: CitationReport): string =>
  [
    'Is the claim supported by the passage?',
    'set           supporting  others  threshold  precision    recall       AUC',
    ...support.map(
      ({ dataset, supporting, others, threshold, precision, recall, auc }) =>
        `${dataset.padEnd(12)} ${String(supporting).padStart(11)} ${String(others).padStart(7)} ${String(threshold).padStart(10)}  ${shown(precision)} ${shown(recall)} ${shown(auc)}`,
    ),
    '',
    `Which sentence is quoted? ${picks.claims} claims, ${picks.msPerClaim.toFixed(2)} ms each`,
    `strongest quoted sentence is evidence ${shown(picks.strongest)}`,
    `evidence is anywhere in the quote     ${shown(picks.any)}`,
    `quoted sentences that are evidence    ${shown(picks.sentencePrecision)}`,
    '',
    `What do answers cite? ${answers.questions} demo questions, ${answers.citations} citations`,
    `citation precision, phrase or claim   ${shown(answers.precision)}`,
    `citation precision, phrase alone      ${shown(answers.onPoint)}`,
    `citation recall, phrase is cited      ${shown(answers.recall)}`,
    `supported by the product's own check  ${shown(answers.supported)}`,
    ...answers.missed.map((question) => `missed: ${question}`),
  ].join('\n')

/** Measures and prints; resolves to the exit status. Throws `WrongUse` when the folder lacks a file. */
export const evalCitations = async (dir: string, { json }: EvalCitationsOptions): Promise<number> => {
  const missing = groundednessFiles.find((name) => !existsSync(join(dir, name)))
  if (missing)
    throw new WrongUse(`${join(dir, missing)} is not there; the folder holds ${groundednessFiles.join(', ')}`)
  try {
    const report = await evaluateCitations({ dir, onProgress: (line) => process.stderr.write(`${line}\n`) })
    process.stdout.write(`${json ? JSON.stringify(report) : tableOf(report)}\n`)
    return 0
  } finally {
    await closeGateway()
  }
}
