/** Judged pairs of a claim and a text, with pairs made of them that do not belong together, in folds that share nothing. */
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { beginSets, evidenceFile, type JudgedPair, readBegin, readEvidence } from '#lib/evals/citations.ts'
import { supportWords } from '#lib/shared/support.ts'

export const folds = 5
/** Pairs that were made here and not judged by people. */
export const unrelatedSet = 'unrelated'
export const scientificSet = 'scifact'

export type Pair = JudgedPair & { set: string; fold: number }

/** The fold of each pair: the same for all that share a text or a claim, be it by way of others. */
export const foldsOf = (pairs: readonly Pick<JudgedPair, 'claim' | 'text'>[]): number[] => {
  const parents = new Map<string, string>()
  const rootOf = (key: string): string => {
    let root = key
    for (let parent = parents.get(root); parent !== undefined; parent = parents.get(root)) root = parent
    return root
  }
  for (const { claim, text } of pairs) {
    const [one = '', other = ''] = [rootOf(`claim ${claim}`), rootOf(`text ${text}`)].sort()
    // The first in the alphabet is the root, whatever the order of the pairs.
    if (one !== other) parents.set(other, one)
  }
  return pairs.map(
    ({ text }) =>
      (createHash('sha256')
        .update(rootOf(`text ${text}`))
        .digest()[0] ?? 0) % folds,
  )
}

/** Every claim beside the text of its own fold that shares most words with it and that nobody held against it. */
export const unrelatedTo = (pairs: readonly Pair[]): Pair[] => {
  const texts = [...new Map(pairs.map((pair) => [pair.text, pair])).values()].map((pair) => ({
    pair,
    words: new Set(supportWords(pair.text)),
  }))
  const judged = new Set(pairs.map(({ claim, text }) => `${claim}\n${text}`))
  const claims = [...new Map(pairs.map((pair) => [pair.claim, pair])).values()]
  return claims.flatMap(({ claim, fold }) => {
    const said = [...new Set(supportWords(claim))]
    const [nearest] = texts
      .filter(({ pair }) => pair.fold === fold && !judged.has(`${claim}\n${pair.text}`))
      .map(({ pair, words }) => ({ pair, shared: said.filter((word) => words.has(word)).length }))
      .sort((a, b) => b.shared - a.shared)
    return nearest ? [{ ...nearest.pair, claim, set: unrelatedSet, supports: false }] : []
  })
}

/** What `dir` holds; files that it does not hold are in `missing`. */
export const readPairs = async (dir: string): Promise<{ pairs: Pair[]; missing: string[] }> => {
  const missing: string[] = []
  const read: (JudgedPair & { set: string })[] = []
  for (const set of beginSets) {
    const path = join(dir, `${set}.tsv`)
    if (existsSync(path)) read.push(...(await readBegin(path)).map((pair) => ({ ...pair, set })))
    else missing.push(path)
  }
  const claimsPath = join(dir, evidenceFile)
  if (existsSync(claimsPath))
    for (const { claim, title, sentences, label } of await readEvidence(claimsPath))
      read.push({
        set: scientificSet,
        claim,
        text: sentences.join(' '),
        around: title,
        supports: label === 'SUPPORT',
      })
  else missing.push(claimsPath)
  const foldOf = foldsOf(read)
  const pairs = read.map((pair, at) => ({ ...pair, fold: foldOf[at] ?? 0 }))
  return { pairs: [...pairs, ...unrelatedTo(pairs.filter(({ set }) => set === scientificSet))], missing }
}
