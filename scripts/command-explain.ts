/** `explain`: why an answer says what it says, on the terminal. */
import type { ExplainedPassage, Explanation } from '#lib/shared/explain-contract.ts'
import { formatCost } from '#lib/shared/format.ts'
import { pageInWords } from '#lib/shared/page-unit.ts'
import { truncate } from '#lib/shared/text.ts'
import type { Connection } from './connect.ts'

export type ExplainOptions = { json?: boolean }

const textChars = 160

const rankWords = ({ lexical, vector, score }: ExplainedPassage): string =>
  [
    score === null ? null : `score ${score.toFixed(3)}`,
    lexical && `words ${lexical.rank} (${lexical.score.toFixed(2)})`,
    vector && `meaning ${vector.rank} (${vector.score.toFixed(3)})`,
  ]
    .filter(Boolean)
    .join(', ')

const passageLines = (passage: ExplainedPassage): string[] => {
  const { n, chunkId, title, text, quotes, dropped } = passage
  const place = pageInWords(passage)
  const name = [title ?? 'a document that you may not read, or that is gone', place].filter(Boolean).join(', ')
  const state = dropped ?? (quotes.length > 0 ? 'read and cited' : 'read')
  return [
    `  ${n ?? '-'}  ${name} (passage ${chunkId})`,
    `     ${[rankWords(passage), state].filter(Boolean).join('; ')}`,
    ...(text === null ? [] : [`     ${truncate(text.replace(/\s+/g, ' '), textChars)}`]),
  ]
}

const list = (title: string, lines: readonly string[]): string[] => (lines.length > 0 ? [title, ...lines] : [])

const inWords = (explanation: Explanation): string[] => {
  const { question, askedAt, route, searched, model, confidence, policyVersion, reviewer, full } = explanation
  const { passages, leftOut, warnings, checks } = explanation
  const fact = (name: string, value: string | number | null | undefined) =>
    value === null || value === undefined || value === '' ? [] : [`${`${name}:`.padEnd(16)}${value}`]
  return [
    ...fact('Question', question),
    ...fact('Asked', askedAt),
    ...fact('Asked by', full?.askedBy.name),
    ...fact('Way', route),
    ...fact('Searched for', searched?.text),
    ...fact('Where', searched?.where.join('; ')),
    ...fact('Model', model?.id ?? 'none'),
    ...fact('Prompt', full?.versions?.prompt),
    ...fact('Encoder', full?.versions?.encoder),
    ...fact('Index', full?.versions?.index),
    ...fact('Policy version', policyVersion),
    ...fact(
      'Confidence',
      confidence && [confidence.value?.toFixed(2) ?? 'not known', ...confidence.reasons].join(' · '),
    ),
    ...fact('Reviewer', reviewer ? `${reviewer.state} by ${reviewer.by ?? 'a person'}, ${reviewer.at}` : 'none'),
    ...fact('Tokens', full?.tokens && `${full.tokens.in} in, ${full.tokens.out} out`),
    ...fact('Cost', full?.tokens && formatCost(full.costMicros)),
    ...fact('Trace', full?.trace?.id),
    ...list('Read:', passages.flatMap(passageLines)),
    ...list('Found and not read:', (full?.candidates ?? []).flatMap(passageLines)),
    ...list(
      'Left out:',
      leftOut.map((line) => `  ${line}`),
    ),
    ...list(
      'Warnings:',
      warnings.map((line) => `  ${line}`),
    ),
    ...list(
      'Checks:',
      checks.map(({ name, words, passed }) => `  ${passed ? 'fine ' : 'found'}  ${name}: ${words}`),
    ),
  ]
}

/** Text of documents and people must not steer the terminal. */
const plain = (text: string): string => text.replace(/[\p{Cc}\p{Bidi_Control}]/gu, ' ')

export const explain = async (
  connection: Pick<Connection, 'explain'>,
  messageId: string,
  { json }: ExplainOptions,
): Promise<number> => {
  const explanation = await connection.explain(messageId)
  process.stdout.write(json ? `${JSON.stringify(explanation)}\n` : `${inWords(explanation).map(plain).join('\n')}\n`)
  return 0
}
