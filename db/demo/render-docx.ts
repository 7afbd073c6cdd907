import {
  AlignmentType,
  BorderStyle,
  Document,
  Footer,
  HeadingLevel,
  LevelFormat,
  Packer,
  PageNumber,
  Paragraph,
  ShadingType,
  Table,
  TableCell,
  TableLayoutType,
  TableRow,
  TextRun,
  WidthType,
} from 'docx'
import { strFromU8, strToU8, unzipSync, zipSync } from 'fflate'
import { shareColumns } from './columns.ts'
import type { Block, SourceText } from './markup.ts'

const TABLE_WIDTH = 9070 // Twentieths of a point: A4 less two margins of 25 mm.
const RULE = { style: BorderStyle.SINGLE, size: 4, color: '9AA5AA' }

function renderTable(header: string[], rows: string[][]): Table {
  // About 115 twentieths for a character of 10 points in Arial, and 240 for the padding of a cell.
  const widths = shareColumns([header, ...rows], TABLE_WIDTH, (text) => text.length * 115 + 240).map(Math.floor)
  const cell = (text: string, index: number, isHeader: boolean) =>
    new TableCell({
      width: { size: widths[index] ?? 0, type: WidthType.DXA },
      margins: { top: 50, bottom: 50, left: 100, right: 100 },
      ...(isHeader ? { shading: { type: ShadingType.CLEAR, fill: 'E8ECEE', color: 'auto' } } : {}),
      children: [new Paragraph({ spacing: { after: 0 }, children: [new TextRun({ text, bold: isHeader, size: 20 })] })],
    })
  const row = (cells: string[], isHeader: boolean) =>
    new TableRow({
      tableHeader: isHeader,
      cantSplit: true,
      children: cells.map((text, index) => cell(text, index, isHeader)),
    })
  return new Table({
    layout: TableLayoutType.FIXED,
    width: { size: TABLE_WIDTH, type: WidthType.DXA },
    columnWidths: widths,
    borders: { top: RULE, bottom: RULE, left: RULE, right: RULE, insideHorizontal: RULE, insideVertical: RULE },
    rows: [row(header, true), ...rows.map((cells) => row(cells, false))],
  })
}

function renderBlock(block: Block, instance: number): (Paragraph | Table)[] {
  switch (block.kind) {
    case 'heading':
      return [
        new Paragraph({
          text: block.text,
          heading: block.level === 1 ? HeadingLevel.HEADING_1 : HeadingLevel.HEADING_2,
          keepNext: true,
        }),
      ]
    case 'paragraph':
      return [new Paragraph({ text: block.text })]
    case 'bullets':
      return block.items.map((text) => new Paragraph({ text, bullet: { level: 0 } }))
    case 'steps':
      return block.items.map((text) => new Paragraph({ text, numbering: { reference: 'steps', level: 0, instance } }))
    case 'table':
      return [renderTable(block.header, block.rows), new Paragraph({ text: '' })]
    case 'note':
      return [
        new Paragraph({ children: [new TextRun({ text: `${block.label}: `, bold: true }), new TextRun(block.text)] }),
      ]
    case 'figure':
      throw new Error('Figures are drawn in PDF only')
  }
}

/** Packs the parts again in a fixed order and with fixed times, because the library writes the present time. */
function freezeTimes(packed: Uint8Array, date: Date): Uint8Array {
  const parts = unzipSync(packed)
  const frozen: Record<string, Uint8Array> = {}
  for (const name of Object.keys(parts).sort()) {
    const part = parts[name]
    if (!part) continue
    frozen[name] =
      name === 'docProps/core.xml'
        ? strToU8(strFromU8(part).replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, date.toISOString()))
        : part
  }
  // A zip file stores local time, so the time is given in local parts to get the same bytes in every time zone.
  const mtime = new Date(date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate(), 12)
  return zipSync(frozen, { mtime, level: 9 })
}

export async function renderDocx(source: SourceText, date: Date): Promise<Uint8Array> {
  const title = [
    new Paragraph({ text: source.title, heading: HeadingLevel.TITLE }),
    new Paragraph({ children: [new TextRun({ text: source.subtitle, size: 28, color: '4A565C' })] }),
    new Paragraph({ text: source.edition }),
    new Paragraph({ text: source.owner }),
  ]
  const document = new Document({
    title: source.title,
    creator: 'Halden Instruments',
    lastModifiedBy: 'Halden Instruments',
    styles: {
      default: {
        document: { run: { font: 'Arial', size: 22 }, paragraph: { spacing: { after: 180, line: 312 } } },
        title: { run: { size: 52, bold: true, color: '1F3A45' }, paragraph: { spacing: { before: 600, after: 200 } } },
        heading1: {
          run: { size: 32, bold: true, color: '1F3A45' },
          paragraph: { spacing: { before: 480, after: 160 } },
        },
        heading2: {
          run: { size: 25, bold: true, color: '1F3A45' },
          paragraph: { spacing: { before: 280, after: 100 } },
        },
      },
    },
    numbering: {
      config: [
        {
          reference: 'steps',
          levels: [{ level: 0, format: LevelFormat.DECIMAL, text: '%1.', alignment: AlignmentType.START }],
        },
      ],
    },
    sections: [
      {
        properties: {
          page: { size: { width: 11906, height: 16838 }, margin: { top: 1418, right: 1418, bottom: 1418, left: 1418 } },
        },
        footers: {
          default: new Footer({
            children: [
              new Paragraph({
                alignment: AlignmentType.CENTER,
                children: [new TextRun({ size: 18, children: [`${source.footer}, page `, PageNumber.CURRENT] })],
              }),
            ],
          }),
        },
        children: [...title, ...source.blocks.flatMap(renderBlock)],
      },
    ],
  })
  return freezeTimes(await Packer.toBuffer(document), date)
}
