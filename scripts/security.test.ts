/** The checklist names tests that are there, and its judge believes no test that has not run. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { judge, resultsOf } from './security.ts'
import { checklist } from './security-checklist.ts'

const root = join(import.meta.dirname, '..')

test('every check of the list is there once, and every proof is a file that exists with a test of that name', () => {
  const ids = checklist.map(({ id }) => id)
  expect(new Set(ids).size).toBe(ids.length)
  for (const [letter, last] of Object.entries({ A: 14, B: 8, C: 8, D: 11, E: 16, F: 12, H: 10 }))
    for (let at = 1; at <= last; at += 1) expect(ids).toContain(`${letter}${at}`)
  const gone = checklist.flatMap(({ id, proofs }) =>
    proofs
      .filter((proof) => !proof.startsWith('check: '))
      .filter((proof) => {
        const [, file = '', words = ''] = /^(\S+?)(?:: (.*))?$/.exec(proof) ?? []
        const path = join(root, file)
        return !existsSync(path) || !readFileSync(path, 'utf8').replaceAll("\\'", "'").includes(words)
      })
      .map((proof) => `${id} ${proof}`),
  )
  expect(gone).toEqual([])
})

test('a proof holds when its tests have run and none of them failed', () => {
  const results = resultsOf({
    testResults: [
      {
        name: join(root, 'lib/a.test.ts'),
        assertionResults: [
          { fullName: 'doors are shut at night', status: 'passed' },
          { fullName: 'doors are shut by day', status: 'failed' },
          { fullName: 'windows are shut', status: 'skipped' },
        ],
      },
    ],
  })
  expect(judge('lib/a.test.ts: at night', results).passed).toBe(true)
  expect(judge('lib/a.test.ts: doors', results).passed).toBe(false)
  expect(judge('lib/a.test.ts: windows', results).words).toBe('no such test has run')
  expect(judge('lib/b.test.ts', results).passed).toBe(false)
})

test('reports of the browser are read too', () => {
  const spec = { title: 'nobody comes in', ok: true, file: 'doors.spec.ts' }
  const results = resultsOf({ suites: [{ title: 'doors.spec.ts', suites: [{ title: 'a stranger', specs: [spec] }] }] })
  expect(judge('e2e/doors.spec.ts: a stranger nobody', results).passed).toBe(true)
})
