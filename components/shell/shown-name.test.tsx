import { renderToStaticMarkup } from 'react-dom/server'
import { expect, it } from 'vitest'
import { hostileNames } from '#lib/shared/fixtures/hostile-names.ts'
import { ShownName } from './shown-name.tsx'

it('shows sixty hostile names as words of their own, and nothing of them as markup', () => {
  for (const name of hostileNames) {
    const markup = renderToStaticMarkup(<ShownName name={name} />)
    expect(
      markup.match(/<\w+/g)?.filter((tag) => tag !== '<bdi' && tag !== '<span'),
      name,
    ).toEqual([])
    expect(markup, name).toMatch(/^<bdi[^>]*>[^<>]+<\/bdi>(<span[^>]*>mixed letters<\/span>)?$/)
    expect(markup, name).not.toMatch(/[\u202a-\u202e\u2066-\u2069\u200b\ufeff]/)
  }
  expect(renderToStaticMarkup(<ShownName name="pаypal" />)).toContain('mixed letters')
})
