import { describe, expect, it } from 'vitest'
import { makePptx, paragraph, type Slide, shape } from '../fixtures/office.ts'
import { parsePptx } from './pptx.ts'

const read = (slides: readonly Slide[], order?: readonly number[], parts?: Record<string, string>) =>
  parsePptx(makePptx(slides, order, parts), () => {})

const table = `<p:graphicFrame><a:graphic><a:graphicData><a:tbl><a:tr><a:tc><a:txBody>${paragraph('Part')}</a:txBody></a:tc><a:tc><a:txBody>${paragraph('Price')}</a:txBody></a:tc></a:tr><a:tr><a:tc><a:txBody>${paragraph('Belt')}</a:txBody></a:tc><a:tc><a:txBody>${paragraph('12 | 13')}</a:txBody></a:tc></a:tr></a:tbl></a:graphicData></a:graphic></p:graphicFrame>`
const chart = `<c:chartSpace xmlns:c="c"><c:chart><c:plotArea><c:barChart><c:ser><c:tx><c:strRef><c:strCache><c:pt idx="0"><c:v>Sold</c:v></c:pt></c:strCache></c:strRef></c:tx><c:cat><c:strRef><c:strCache><c:pt idx="0"><c:v>May</c:v></c:pt></c:strCache></c:strRef></c:cat><c:val><c:numRef><c:numCache><c:pt idx="0"><c:v>41</c:v></c:pt></c:numCache></c:numRef></c:val></c:ser></c:barChart></c:plotArea></c:chart></c:chartSpace>`

describe('pptx', () => {
  it('reads slides in the order of the show, a page each, with notes, lists and tables', () => {
    const { title, text, pages, hidden, meta } = read(
      [
        { shapes: shape(null, paragraph('Thank you')), hidden: true },
        {
          shapes:
            shape('body', paragraph('Fast') + paragraph('Quiet')) +
            shape('sldNum', paragraph('1')) +
            shape('title', paragraph('The new belt')) +
            table,
          notes: 'Show the sample.',
        },
      ],
      [1, 0],
    )
    expect(title).toBe('The new belt')
    expect(text).toBe(
      'The new belt\n\n- Fast\n- Quiet\n\nPart | Price\nBelt | 12 / 13\n\nNotes: Show the sample.\n\nSlide 2\n\nThank you',
    )
    expect(pages.map(({ page, charStart, charEnd }) => [page, text.slice(charStart, charEnd).slice(-16)])).toEqual([
      [1, 'Show the sample.'],
      [2, 'lide 2\n\nThank you'.slice(-16)],
    ])
    expect(hidden?.map(({ start, end }) => text.slice(start, end))).toEqual(['Slide 2\n\nThank you'])
    expect(meta).toEqual({ author: 'Ada Halden', date: '2026-03-01' })
  })

  it('reads the numbers behind a chart', () => {
    const { text } = read(
      [
        {
          shapes: `<p:graphicFrame><a:graphic><a:graphicData><c:chart xmlns:c="c" r:id="k"/></a:graphicData></a:graphic></p:graphicFrame>`,
          relations: [{ id: 'k', type: 'chart', target: '../charts/chart1.xml' }],
        },
      ],
      [0],
      { 'ppt/charts/chart1.xml': chart },
    )
    expect(text).toBe('Slide 1\n\nCategory: May; Sold: 41')
  })

  it('reads one of two alternatives, not both', () =>
    expect(
      read([
        {
          shapes: `<mc:AlternateContent xmlns:mc="m"><mc:Choice>${shape(null, paragraph('New'))}</mc:Choice><mc:Fallback>${shape(null, paragraph('Old'))}</mc:Fallback></mc:AlternateContent>`,
        },
      ]).text,
    ).toBe('Slide 1\n\nNew'))

  it('follows nothing that leads out of the archive', () =>
    expect(
      read([
        {
          shapes: `${shape(null, paragraph('Words'))}<p:graphicFrame><a:graphic><a:graphicData><c:chart xmlns:c="c" r:id="k"/><c:chart r:id="l"/></a:graphicData></a:graphic></p:graphicFrame>`,
          relations: [
            { id: 'k', type: 'chart', target: 'http://127.0.0.1:9/chart.xml', external: true },
            { id: 'l', type: 'notesSlide', target: '../../../../etc/passwd' },
          ],
        },
      ]).text,
    ).toBe('Slide 1\n\nWords'))

  it('says that there are no words in it', () =>
    expect(() => read([{ shapes: '' }])).toThrow(expect.objectContaining({ code: 'no-text' })))
})
