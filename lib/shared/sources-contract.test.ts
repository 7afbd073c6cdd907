import { expect, test } from 'vitest'
import { otherNamesOf, readSourceConfig, sourceForms, sourceKinds } from './sources-contract.ts'

test('every field of every kind has words and a shape, so that a new kind needs no form', () => {
  const forms = sourceForms()
  expect(forms.map(({ kind }) => kind).sort()).toEqual(Object.keys(sourceKinds).sort())
  for (const { fields } of forms) for (const { name, label } of fields) expect(label).not.toBe(name)
  const shapes = forms.find(({ kind }) => kind === 'sitemap')?.fields.map(({ name, shape }) => [name, shape])
  expect(Object.fromEntries(shapes ?? [])).toEqual({
    url: 'address',
    include: 'lines',
    exclude: 'lines',
    pagesMax: 'number',
    local: 'tick',
  })
})

test('what a form begins with is what its schema takes, but for the address that is still to be typed', () => {
  for (const { kind, fields } of sourceForms()) {
    const initial = Object.fromEntries(fields.map((field) => [field.name, field.initial]))
    expect(readSourceConfig(kind, { ...initial, url: 'https://a.test/', path: '/srv' })).toHaveProperty('fault')
    const place = kind === 'folder' ? { path: '/srv' } : { url: 'https://a.test/' }
    expect(readSourceConfig(kind, { ...initial, ...place })).toHaveProperty('config')
  }
})

test('a setting that cannot be used is named as the form names it', () => {
  expect(readSourceConfig('url', { url: 'ftp://a.test' })).toEqual({
    fault: 'Address: Type a whole web address. It should begin with https://.',
  })
  expect(readSourceConfig('git', { url: 'https://a.test', branch: 'a..~b c' })).toEqual({
    fault: 'Branch: That is no name of a branch.',
  })
})

test('other names tell where an item lies, differ for different addresses and keep the extension', () => {
  expect(otherNamesOf('readme.md', 'packages/core/readme.md')[0]).toBe('readme (packages-core).md')
  expect(otherNamesOf('index.html', 'https://a.test/docs/index.html?x=1')[0]).toBe('index (a.test-docs).html')
  const [one, two] = ['a/readme.md', 'b/readme.md'].map((uri) => otherNamesOf('readme.md', uri).at(-1))
  expect(one).toMatch(/^readme \(\w+\)\.md$/)
  expect(one).not.toBe(two)
})
