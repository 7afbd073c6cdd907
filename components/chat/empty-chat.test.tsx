import { renderToStaticMarkup } from 'react-dom/server'
import { expect, test } from 'vitest'
import { type AboutAnswers, AboutAnswersScreen } from './about-answers.tsx'
import { EmptyChat, type EmptyChatProps } from './empty-chat.tsx'

const written: AboutAnswers = { answerer: { id: 'gpt-5.4-mini', kind: 'provider' }, holds: false }
const knowledge = (documents: number) => ({
  documents,
  collections: [],
  facets: { mediaTypes: [], languages: [], tags: [], dated: { from: null, to: null } },
})
const shown = (over: Partial<EmptyChatProps>) =>
  renderToStaticMarkup(
    <EmptyChat
      knowledge={knowledge(3)}
      suggestions={['How many days?']}
      canUpload={false}
      about={written}
      firstUse
      onAsk={() => undefined}
      {...over}
    />,
  )

test.each([0, 3])('whoever has asked nothing yet is told first who answers, with %i documents', (documents) => {
  const markup = shown({ knowledge: knowledge(documents) })
  expect(markup).toContain('aria-label="Before you ask"')
  expect(markup.indexOf('written by a language model (gpt-5.4-mini)')).toBeLessThan(markup.indexOf('<h2'))
  expect(markup).toContain('check the sources before you use an answer')
  expect(markup).toContain('Understood')
})

test('later a line is left of it, which leads to all of it', () => {
  const markup = shown({ firstUse: false })
  expect(markup).not.toContain('Before you ask')
  expect(markup).toMatch(/made by an AI and can be wrong.*href="\/about"/)
})

test('it is true to who answers, and to whether people look before an answer is shown', () => {
  expect(shown({})).toContain('shown before a person has checked them')
  const held = { answerer: { id: 'built-in', kind: 'built-in' }, holds: true } as const
  for (const markup of [shown({ about: held }), renderToStaticMarkup(<AboutAnswersScreen about={held} />)]) {
    expect(markup).toContain('no language model writes here')
    expect(markup).toContain('held back until a person here has checked them')
  }
})
