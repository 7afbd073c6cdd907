/** Versions below which a part of ours is known to be open: every copy in the lockfile stands at or above its floor. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const root = join(import.meta.dirname, '..')
const read = (name: string): unknown => JSON.parse(readFileSync(join(root, name), 'utf8'))

/** Package, least version, and what was wrong before it. Null: no version of it is safe. */
const floors: [name: string, floor: string | null, why: string][] = [
  ['next', '16.2.6', 'CVE-2025-29927, CVE-2025-66478, CVE-2026-44573, 44574, 44575, 44578, GHSA-267c'],
  ['react', '19.2.1', 'CVE-2025-55182 (React2Shell)'],
  ['react-dom', '19.2.1', 'CVE-2025-55182 (React2Shell)'],
  ['react-server-dom-webpack', '19.2.1', 'CVE-2025-55182, 55183, 55184, 67779'],
  ['react-server-dom-turbopack', '19.2.1', 'CVE-2025-55182, 55183, 55184, 67779'],
  ['next-auth', '5.0.0-beta.30', 'CVE-2022-35924 and its return: an e-mail address that is two'],
  ['drizzle-orm', '0.45.2', 'CVE-2026-39356: names were not quoted'],
  ['mammoth', '1.11.0', 'CVE-2025-11849: r:link reads files'],
  ['pdfjs-dist', '4.2.67', 'CVE-2024-4367: a font runs code'],
  ['ai', '5.0.52', 'CVE-2025-48985: the list of file types was passed by'],
  ['@langchain/core', '1.1.8', 'CVE-2025-68665: text of a user revived as an object'],
  ['undici', '7.18.2', 'CVE-2026-22036: endless decompression'],
  ['ws', '8.17.1', 'CVE-2024-37890: many headers end the process'],
  ['jszip', '3.8.0', 'CVE-2021-23413, CVE-2022-48285'],
  ['nodemailer', '7.0.7', 'a quoted address leads to another domain'],
  ['fast-xml-parser', '4.4.1', 'CVE-2024-41818'],
  ['xlsx', null, 'CVE-2023-30533, CVE-2024-22363: npm has no version without them'],
  ['crypto-js', null, 'unmaintained; Node has it all'],
  ['request', null, 'unmaintained: CVE-2023-28155'],
]

type Version = { numbers: number[]; early: string | null; early_number: number }
const versionOf = (text: string): Version => {
  const [, numbers = '', early] = /^(\d+\.\d+\.\d+)(?:-([\w.-]+))?/.exec(text) ?? []
  return {
    numbers: numbers.split('.').map(Number),
    early: early ?? null,
    early_number: Number(/(\d+)$/.exec(early ?? '')?.[1] ?? 0),
  }
}

/** A beta comes before its version, and betas stand in the order of their numbers. */
const isAtLeast = (version: string, floor: string): boolean => {
  const [one, other] = [versionOf(version), versionOf(floor)]
  for (const at of [0, 1, 2]) {
    const difference = (one.numbers[at] ?? Number.NaN) - (other.numbers[at] ?? 0)
    if (difference !== 0) return difference > 0
  }
  if (one.early === null || other.early === null) return one.early === null
  return one.early_number >= other.early_number
}

type Locked = { version?: string; integrity?: string; link?: boolean }
const { packages } = read('package-lock.json') as { packages: Record<string, Locked> }
const copies = Object.entries(packages).flatMap(([path, { version }]) => {
  const name = path.split('node_modules/').at(-1) ?? ''
  return path.includes('node_modules/') && version ? [{ name, version, path }] : []
})

test('versions are compared as versions', () => {
  expect(isAtLeast('16.10.0', '16.2.6')).toBe(true)
  expect(isAtLeast('16.2.5', '16.2.6')).toBe(false)
  expect(isAtLeast('5.0.0-beta.9', '5.0.0-beta.30')).toBe(false)
  expect(isAtLeast('5.0.0', '5.0.0-beta.30')).toBe(true)
  expect(isAtLeast('19.2.1-canary.3', '19.2.1')).toBe(false)
})

test('no part of the product is older than its floor', () => {
  expect(copies.length).toBeGreaterThan(300)
  const below = copies.flatMap(({ name, version, path }) =>
    floors
      .filter(([floored, floor]) => floored === name && (floor === null || !isAtLeast(version, floor)))
      .map(([, floor, why]) => `${path} ${version} < ${floor ?? 'nothing'}: ${why}`),
  )
  expect(below).toEqual([])
  for (const name of ['next', 'react', 'react-dom', 'next-auth', 'drizzle-orm', 'undici'])
    expect(copies.map((copy) => copy.name)).toContain(name)
})

test('React that answers server actions comes with a Next.js that has it mended', () => {
  const { version } = read('node_modules/next/package.json') as { version: string }
  expect(isAtLeast(version, '16.2.6')).toBe(true)
})

test('every package comes with its checksum, in an exact version', () => {
  const fetched = Object.entries(packages).filter(([path, { link }]) => path !== '' && !link)
  expect(fetched.filter(([, { integrity }]) => !/^sha512-/.test(integrity ?? '')).map(([path]) => path)).toEqual([])
  const { dependencies, devDependencies } = read('package.json') as Record<string, Record<string, string>>
  const loose = Object.entries({ ...dependencies, ...devDependencies }).filter(([, range]) => !/^\d/.test(range))
  expect(loose).toEqual([])
})

test('no package runs a script when it is installed', () => {
  expect(readFileSync(join(root, '.npmrc'), 'utf8')).toMatch(/^ignore-scripts=true$/m)
})
