/** What no line of the product may do, and the few places that may, each with its reason. Biome and dependency-cruiser know the rest. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const root = join(import.meta.dirname, '..')
const folders = ['app', 'components', 'db', 'ingestion', 'lib']
/** Comments are no code; strings are left in, for none of these words stands in one by chance. */
const withoutComments = (text: string): string => text.replace(/\/\*[\s\S]*?\*\/|(?<=^|\s)\/\/.*$/gm, '')
const sources = [
  ...folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((path) => `${folder}/${path}`),
  ),
  'proxy.ts',
]
  .filter(
    (path) => /\.tsx?$/.test(path) && !/\.test\.tsx?$|\/fixtures\/|^db\/testing|\.fixture\.ts$|^db\/demo\//.test(path),
  )
  .map((path) => ({ path, text: withoutComments(readFileSync(join(root, path), 'utf8')) }))

type Law = { what: string; pattern: RegExp; allowed: Readonly<Record<string, string>> }
const laws: Law[] = [
  {
    what: 'SQL that is put together from text (CVE-2026-42208)',
    pattern: /\bsql\.raw\(|\.unsafe\(/,
    allowed: {
      'db/queries/embedding-indexes.ts':
        'an index has no parameters: the model is a quoted literal, the dimension a checked number',
      'db/queries/budgets.ts': 'a constant',
      'db/dump.ts': 'names and definitions that the database itself gave; nothing of a request',
      'db/queries/lexical-index.ts': 'names of our own tables',
      'db/queries/erasure-remains.ts': 'names of tables from the inventory, not from a request',
    },
  },
  {
    what: 'markup from text',
    pattern: /dangerouslySetInnerHTML|\.innerHTML\s*=|\.outerHTML\s*=|insertAdjacentHTML|document\.write/,
    allowed: {},
  },
  {
    what: 'code from text',
    pattern: /\beval\(|new Function\(|\bFunction\(['"`]|\bvm\.run|from 'node:vm'|setTimeout\(['"`]/,
    allowed: {},
  },
  {
    what: 'another process',
    pattern: /child_process/,
    allowed: {
      'ingestion/sandbox.ts': 'the cage of the parsers',
      'ingestion/recognise.ts': 'the cage of text recognition',
      'ingestion/sources/git.ts': 'the cage of Git, which is JavaScript',
    },
  },
  {
    what: 'a row that takes whatever it is sent (CVE-2026-42863)',
    pattern:
      /Object\.assign\(\s*\w+,\s*(body|input|request|params|data)\b|\.(values|set)\(\s*(body|input|request|data)\s*\)|\.(values|set)\(\s*\{\s*\.\.\.(body|request)\b/,
    allowed: {},
  },
  { what: 'a body that takes more than it names', pattern: /\.passthrough\(|\.loose\(|z\.looseObject\(/, allowed: {} },
  {
    what: 'an id that can be guessed for a secret',
    pattern: /Math\.random\(/,
    allowed: { 'lib/gateway/local/hub.ts': 'spreads the tries of a download' },
  },
]

test.each(laws)('nothing does this: $what', ({ pattern, allowed }) => {
  expect(sources.length).toBeGreaterThan(200)
  const breaking = sources.filter(({ path, text }) => pattern.test(text) && !Object.hasOwn(allowed, path))
  expect(breaking.map(({ path }) => path)).toEqual([])
  // An exception that nobody needs any more is a hole for the next one.
  const unused = Object.keys(allowed).filter(
    (path) => !sources.some((one) => one.path === path && pattern.test(one.text)),
  )
  expect(unused).toEqual([])
})

test('the laws see what they are there for', () => {
  const breaches = [
    'sql.raw(text)',
    '<p dangerouslySetInnerHTML={{ __html: text }} />',
    'new Function(text)()',
    "import { exec } from 'node:child_process'",
    'Object.assign(row, body)',
    'z.object({}).passthrough()',
    'const token = Math.random()',
  ]
  for (const [at, breach] of breaches.entries()) expect(laws[at]?.pattern.test(withoutComments(breach))).toBe(true)
  expect(withoutComments('/* eval( */ // eval(')).not.toMatch(/eval/)
})

test('bodies of doors are strict: what they do not name is refused', () => {
  const inline = sources.filter(({ path }) => /^app\/.*(actions|route)\.ts$/.test(path))
  const loose = inline.filter(({ text }) => /\bz\.object\(/.test(text))
  // Read by hand from a form, field by field: nothing else of the form is looked at.
  expect(loose.map(({ path }) => path).filter((path) => path !== 'app/(auth)/actions.ts')).toEqual([])
})
