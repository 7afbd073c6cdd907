import { Badge, type BadgeProps } from '#components/ui/badge.tsx'
import { type MessageStatus, messageStatuses } from '#lib/shared/chat-contract.ts'

export const traceStatuses = messageStatuses.filter((status) => status !== 'streaming')

const looks: Record<MessageStatus, { words: string; variant: BadgeProps['variant'] }> = {
  streaming: { words: 'Being written', variant: 'accent' },
  complete: { words: 'Answered', variant: 'success' },
  held: { words: 'Held for review', variant: 'warning' },
  'no-source': { words: 'No source found', variant: 'warning' },
  stopped: { words: 'Stopped', variant: 'default' },
  failed: { words: 'Failed', variant: 'destructive' },
  interrupted: { words: 'Interrupted', variant: 'destructive' },
}

const lookOf = (status: string) => {
  const known = messageStatuses.find((one) => one === status)
  return known ? looks[known] : { words: status, variant: 'default' as const }
}

export const traceStatusWords = (status: string): string => lookOf(status).words

/** How a question ended, in words. */
export const TraceStatus = ({ status }: { status: string }) => {
  const { words, variant } = lookOf(status)
  return <Badge variant={variant ?? 'default'}>{words}</Badge>
}
