'use client'
import { useState } from 'react'
import { cn } from '#lib/shared/cn.ts'
import { type Marked, MarkedPage } from './marked-page.tsx'

/** Until the picture says how high it is. */
const usualRatio = 3 / 4

/**
 * A picture as it was uploaded, with the place of the cited words marked. `words` are what it says there, for those who do not see
 * it. Calls `onProblem` when it cannot be shown.
 */
export const SourcePicture = ({
  url,
  title,
  words,
  onProblem,
  ...marked
}: Marked & { url: string; title: string; words: string; onProblem: () => void }) => {
  const [ratio, setRatio] = useState(usualRatio)
  const [drawn, setDrawn] = useState(0)
  return (
    <MarkedPage {...marked} ratio={ratio} drawn={drawn} outlined>
      {({ widthPx, heightPx }) => (
        // biome-ignore lint/performance/noImgElement: it is shown in full to those who may see it, never through a public cache
        <img
          src={url}
          alt={words ? `${title}. The marked words: ${words}` : title}
          decoding="async"
          className={cn('block max-w-none', drawn === 0 && 'bg-source')}
          style={{ width: widthPx, height: heightPx }}
          onLoad={({ currentTarget: { naturalWidth, naturalHeight } }) => {
            if (naturalWidth > 0) setRatio(naturalHeight / naturalWidth)
            setDrawn((count) => count + 1)
          }}
          onError={onProblem}
        />
      )}
    </MarkedPage>
  )
}
