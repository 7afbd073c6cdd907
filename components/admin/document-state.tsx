import { RotateCw } from 'lucide-react'
import { Badge } from '#components/ui/badge.tsx'
import { Button } from '#components/ui/button.tsx'
import { Progress } from '#components/ui/progress.tsx'
import type { DocumentRow } from '#lib/shared/admin-contract.ts'
import { formatCount } from '#lib/shared/format.ts'
import { isInWork, stageWords } from './document-list.ts'

export type DocumentStateProps = {
  row: DocumentRow
  /** Said of a row whose file was uploaded again without a change. */
  alreadyThere?: boolean
  onRetry: () => void
}

/** Where a document stands: the real count while it is worked on, the reason and the act that mends it when it failed. */
export const DocumentState = ({ row, alreadyThere = false, onRetry }: DocumentStateProps) => {
  const words = stageWords(row)
  return (
    <div className="flex flex-wrap items-center gap-x-2 gap-y-1">
      {isInWork(row) && (
        <>
          {row.progress && <Progress value={row.progress.done} max={row.progress.total} label={words} />}
          <span className="num text-[12.5px] text-muted-foreground">{words}</span>
        </>
      )}
      {row.stage === 'failed' && (
        <>
          <Badge variant="destructive">{row.failure?.reason ?? 'Failed'}</Badge>
          <Button variant="ghost" size="sm" className="relative z-1 h-6 px-1.5 text-primary" onClick={onRetry}>
            <RotateCw className="size-3.5" />
            Retry
          </Button>
          {row.failure && <span className="basis-full text-[12.5px] text-muted-foreground">{row.failure.act}</span>}
        </>
      )}
      {row.stage === 'ready' && <Badge variant="success">Ready</Badge>}
      {row.stage === 'ready' && (row.chunksReused ?? 0) > 0 && (
        <span className="num text-[12.5px] text-muted-foreground">
          {formatCount(row.chunksReused ?? 0)} {row.chunksReused === 1 ? 'passage' : 'passages'} reused
        </span>
      )}
      {alreadyThere && <Badge variant="outline">Already there</Badge>}
      {row.earlierVersionServes && row.stage !== 'ready' && (
        <span className="text-[12.5px] text-muted-foreground">The version before still answers</span>
      )}
    </div>
  )
}
