/**
 * Every way in, as the source has it: what a page, a route or a 'use server' file exports is made by a door or named in
 * `e2e/doors-matrix.txt` with the reason why it needs none, and every door has its verdicts there. `e2e/doors.spec.ts` compares the
 * same list with the build.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'
import { describe, expect, test, vi } from 'vitest'
import { inputs } from '#e2e/doors-inputs.ts'
import { askers, type DoorKind, doorKey, matrix, openDoors, type Row } from '#e2e/doors-matrix.ts'
import { can, type Permission, type Role, roles } from '#lib/shared/viewer.ts'
import { doorOf } from './doors.ts'
import { jsonSchemaOf } from './fixtures/arbitrary.ts'

// Next.js wants to know that it runs in Node before anything of it is loaded.
await vi.hoisted(async () => {
  const { AsyncLocalStorage } = await import('node:async_hooks')
  Object.assign(globalThis, { AsyncLocalStorage })
})

const root = join(import.meta.dirname, '../..')
const sources = readdirSync(root, { recursive: true, encoding: 'utf8' })
  // Listed from the folders that the build looks at.
  .filter((path) => /^(app|components|lib)\/.*(?<!\.test)\.tsx?$/.test(path))
  .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }))

type Loader = () => Promise<Record<string, unknown>>
const modules = {
  ...import.meta.glob<Record<string, unknown>>('../../app/**/route.ts'),
  ...import.meta.glob<Record<string, unknown>>('../../app/**/actions.ts'),
} as Record<string, Loader>

/** `/admin/documents/[documentId]`: as the address shows it, without the groups of folders. */
const addressOf = (path: string): string =>
  `/${path
    .split('/')
    .slice(1, -1)
    .filter((part) => !part.startsWith('('))
    .join('/')}`

const methods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])
const isServerFile = (text: string): boolean => /^(\s|\/\*[\s\S]*?\*\/|\/\/.*)*['"]use server['"]/.test(text)

/** `ids`: something in the path or in the body names a thing that can be somebody else's. */
type Found = { kind: DoorKind; name: string; permission: Permission | null; ids: boolean }

/** The permission that an exported function of a page asks for, directly or through a function of the same file. */
const pageGuards = (text: string): Map<string, Permission | null> => {
  const file = ts.createSourceFile('page.tsx', text, ts.ScriptTarget.Latest, true)
  const bodies = new Map<string, { text: string; exported: boolean }>()
  for (const statement of file.statements) {
    const flags = ts.canHaveModifiers(statement) ? (ts.getModifiers(statement) ?? []).map(({ kind }) => kind) : []
    const exported = flags.includes(ts.SyntaxKind.ExportKeyword)
    if (ts.isFunctionDeclaration(statement))
      bodies.set(statement.name?.text ?? 'default', { text: statement.getText(file), exported })
    if (ts.isVariableStatement(statement))
      for (const { name, initializer } of statement.declarationList.declarations)
        if (initializer && /=>|function/.test(initializer.getText(file)))
          bodies.set(name.getText(file), { text: initializer.getText(file), exported })
  }
  // Under whatever name the file has it.
  const asked = /\bpage(?:\s+as\s+(\w+))?\b[^}]*\}\s*from '#lib\/auth\/index\.ts'/.exec(text)
  const guard = new RegExp(`\\b${asked?.[1] ?? 'page'}\\('([\\w.]+)'[,)]`)
  const guardOf = (name: string, seen: readonly string[] = []): Permission | null => {
    const body = bodies.get(name)?.text ?? ''
    const direct = asked ? guard.exec(body)?.[1] : undefined
    if (direct) return direct as Permission
    const called = [...bodies.keys()].filter((other) => other !== name && !seen.includes(other))
    const through = called.filter((other) => new RegExp(`\\b${other}\\(`).test(body))
    return through.map((other) => guardOf(other, [...seen, name])).find(Boolean) ?? null
  }
  return new Map([...bodies].filter(([, { exported }]) => exported).map(([name]) => [name, guardOf(name)]))
}

const foundPages: Found[] = sources
  .filter(({ path }) => /\/page\.tsx?$/.test(path))
  .map(({ path, text }) => {
    const guards = [...pageGuards(text).values()]
    const name = addressOf(path)
    return {
      kind: 'page',
      name,
      permission: guards.every(Boolean) ? (guards[0] ?? null) : null,
      ids: name.includes('['),
    }
  })

const foundHandlers: Found[] = (
  await Promise.all(
    Object.entries(modules).map(async ([path, load]): Promise<Found[]> => {
      const file = path.replace('../../', '')
      return Object.entries(await load()).flatMap(([exported, value]): Found[] => {
        const door = doorOf(value)
        const permission = door?.permission ?? null
        const ids =
          file.includes('[') || Boolean(door?.body && JSON.stringify(jsonSchemaOf(door.body)).includes('"uuid"'))
        if (file.endsWith('actions.ts'))
          return [{ kind: 'action', name: `${file} ${exported}`, permission, ids: ids && Boolean(door?.body) }]
        return methods.has(exported) ? [{ kind: 'route', name: `${exported} ${addressOf(file)}`, permission, ids }] : []
      })
    }),
  )
).flat()

const found = [...foundPages, ...foundHandlers]
const rowsOf = new Map<string, Row[]>()
for (const row of matrix) rowsOf.set(doorKey(row), [...(rowsOf.get(doorKey(row)) ?? []), row])
const open = new Set(openDoors.map(doorKey))

/** Lines to look through and to put into the matrix: what a door of that kind usually says. */
const proposal = ({ kind, name, permission, ids: named }: Found): string => {
  const ids = named ? ['own', 'foreign', 'missing', 'malformed'] : ['-']
  const out = kind === 'page' ? 'in' : '401'
  return ids
    .map((id) => {
      const inBody = kind === 'action' || !name.includes('[')
      const inside = id === 'malformed' && inBody ? '400' : id === 'own' || id === '-' ? '200' : '404'
      const verdictOf = (role: Role): string => (permission && can({ role }, permission) ? inside : '404')
      const outside = id === 'own' ? '404' : verdictOf('admin')
      const cells = [out, ...roles.map(verdictOf), outside, out]
      return `${`${kind} ${name}`.padEnd(77)} ${id.padEnd(9)} ${cells.map((cell) => cell.padEnd(4)).join(' ')}`.trim()
    })
    .join('\n')
}

describe('every way in', () => {
  test('is made by a door, or is named with its reason', () => {
    expect(found.length).toBeGreaterThan(50)
    expect(found.filter((one) => !one.permission && !open.has(doorKey(one))).map(doorKey)).toEqual([])
  })

  test('has its verdicts in the matrix', () => {
    const missing = found.filter((one) => one.permission && !rowsOf.has(doorKey(one)))
    expect(missing.map(proposal).join('\n')).toBe('')
  })

  test('is there: the matrix names nothing that is gone', () => {
    const known = new Set(found.map(doorKey))
    expect([...rowsOf.keys(), ...open].filter((key) => !known.has(key) && !/^route GET \/icon/.test(key))).toEqual([])
    expect([...rowsOf.keys()].filter((key) => open.has(key))).toEqual([])
  })

  test('lets in whom the matrix lets in, and refuses strangers', () => {
    const wrong = found.flatMap((one) =>
      (rowsOf.get(doorKey(one)) ?? []).filter(({ verdicts }) => {
        const { permission } = one
        if (!permission) return false
        const out = one.kind === 'page' ? 'in' : '401'
        const below = roles.filter((role) => !can({ role }, permission))
        const within = roles.filter((role) => can({ role }, permission))
        return (
          verdicts.anonymous !== out ||
          verdicts.suspended !== out ||
          below.some((role) => verdicts[role] !== '404') ||
          within.some((role) => ['401', 'in'].includes(verdicts[role]))
        )
      }),
    )
    expect(wrong.map((row) => `${doorKey(row)} ${row.id}`)).toEqual([])
  })

  test('answers for what is foreign as for what is not there: with a refusal, or an empty list', () => {
    const wrong = [...rowsOf].flatMap(([key, rows]) => {
      const [foreign, missing] = [rows.find(({ id }) => id === 'foreign'), rows.find(({ id }) => id === 'missing')]
      if (!foreign || !missing) return rows.some(({ id }) => id !== '-') ? [`${key}: rows are missing`] : []
      const differ = !inputs[key]?.makes && askers.some((asker) => foreign.verdicts[asker] !== missing.verdicts[asker])
      const open = Object.values(foreign.verdicts).some((verdict) => /^[23]/.test(verdict))
      return differ || (open && !inputs[key]?.lists) ? [key] : []
    })
    expect(wrong).toEqual([])
  })

  test('lets no outsider have what belongs to those within', () => {
    const own = matrix.filter(({ id, verdicts }) => id === 'own' && /^[23]/.test(verdicts.outsider))
    expect(own.filter((row) => !inputs[doorKey(row)]?.lists).map(doorKey)).toEqual([])
  })

  test('has an input, where an id is in its body', () => {
    const missing = matrix.filter((row) => row.id === 'own' && !row.name.includes('[') && !inputs[doorKey(row)]?.of)
    expect(missing.map(doorKey)).toEqual([])
  })

  test('takes no whole number that no column holds', async () => {
    const loose: string[] = []
    const look = (name: string, schema: unknown): void => {
      if (typeof schema !== 'object' || schema === null) return
      const { type, maximum } = schema as { type?: unknown; maximum?: unknown }
      if (type === 'integer' && !(typeof maximum === 'number' && maximum <= 2_147_483_647)) loose.push(name)
      for (const [key, part] of Object.entries(schema)) look(`${name} ${key}`, part)
    }
    for (const [path, load] of Object.entries(modules))
      for (const [exported, value] of Object.entries(await load())) {
        const body = doorOf(value)?.body
        if (body) look(`${path.replace('../../', '')} ${exported}`, jsonSchemaOf(body))
      }
    expect(loose).toEqual([])
  })

  test('is one of those that are looked at here', () => {
    const server = sources.filter(({ text }) => /['"]use server['"]/.test(text))
    expect(server.filter(({ text }) => !isServerFile(text)).map(({ path }) => path)).toEqual([])
    expect(server.filter(({ path }) => !/^app\/.*\/actions\.ts$/.test(path)).map(({ path }) => path)).toEqual([])
    // What Next.js serves by the name of its file, and nothing here makes by a door.
    const named = /^app\/.*\/?(route\.tsx|template|default|sitemap|robots|manifest|opengraph-image|twitter-image)\b/
    expect(sources.filter(({ path }) => named.test(path)).map(({ path }) => path)).toEqual([])
  })

  test('leads through a layout that asks too, where a layout shows what only some may see', () => {
    const layouts = sources.filter(
      ({ path, text }) => /\/layout\.tsx$/.test(path) && /#(lib\/(?!shared)|db)\//.test(text),
    )
    expect(
      layouts.filter(({ text }) => ![...pageGuards(text).values()].every(Boolean)).map(({ path }) => path),
    ).toEqual([])
  })
})
