import { renderToStaticMarkup } from 'react-dom/server'
import { expect, test } from 'vitest'
import { SwitchedBanner } from './workspace-guard.tsx'

test('a tab whose session has moved on says where it is, where the session is, and both ways out', () => {
  const html = renderToStaticMarkup(
    <SwitchedBanner
      shown="Alpha <b>"
      session="Beta"
      failure="Try again."
      pending={false}
      onReload={() => undefined}
      onBack={() => undefined}
    />,
  )
  expect(html).toContain('role="alert"')
  expect(html).toContain('This tab shows <bdi class="font-medium">Alpha &lt;b&gt;</bdi>')
  expect(html).toMatch(/Go back to <bdi>Alpha/)
  expect(html).toMatch(/Reload in <bdi[^>]*>Beta/)
  expect(html).toContain('Try again.')
})
