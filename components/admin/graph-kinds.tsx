import type { EntityKind } from '#lib/shared/graph-contract.ts'

export const kindWords: Record<EntityKind, string> = {
  person: 'Person',
  organisation: 'Organisation',
  place: 'Place',
  product: 'Product',
  code: 'Code',
  term: 'Term',
  name: 'Name',
}

/** Told apart by shape first; by lightness and hue as well, in both themes. */
const looks: Record<EntityKind, { shape: 'circle' | string; fill: string }> = {
  person: { shape: 'circle', fill: 'light-dark(oklch(42% 0.14 268), oklch(72% 0.12 268))' },
  organisation: { shape: '-9,-9 9,-9 9,9 -9,9', fill: 'light-dark(oklch(50% 0.09 145), oklch(76% 0.1 145))' },
  place: { shape: '0,11 -10,-8 10,-8', fill: 'light-dark(oklch(56% 0.12 55), oklch(70% 0.12 55))' },
  product: {
    shape: '-11,0 -5.5,-9.5 5.5,-9.5 11,0 5.5,9.5 -5.5,9.5',
    fill: 'light-dark(oklch(52% 0.11 205), oklch(80% 0.09 205))',
  },
  code: { shape: '-12,-6 12,-6 12,6 -12,6', fill: 'light-dark(oklch(46% 0.012 260), oklch(72% 0.012 265))' },
  term: { shape: '0,-11 11,0 0,11 -11,0', fill: 'light-dark(oklch(54% 0.14 330), oklch(72% 0.12 330))' },
  name: {
    shape: '0,-11 10.5,-3.4 6.5,9 -6.5,9 -10.5,-3.4',
    fill: 'light-dark(oklch(60% 0.01 265), oklch(62% 0.01 265))',
  },
}

/** A thing's mark, around the origin of a drawing. */
export const KindShape = ({ kind }: { kind: EntityKind }) => {
  const { shape, fill } = looks[kind]
  const paint = { style: { fill }, className: 'stroke-background', strokeWidth: 2 }
  return shape === 'circle' ? (
    <circle r={10} {...paint} />
  ) : (
    <polygon points={shape} strokeLinejoin="round" {...paint} />
  )
}

/** The mark beside words that say the same. */
export const KindMark = ({ kind }: { kind: EntityKind }) => (
  <svg aria-hidden viewBox="-13 -13 26 26" className="size-3.5 shrink-0">
    <title>{kindWords[kind]}</title>
    <KindShape kind={kind} />
  </svg>
)
