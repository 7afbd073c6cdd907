import { ShieldCheck } from 'lucide-react'
import { Badge } from '#components/ui/badge.tsx'

const dayFormat = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'long', year: 'numeric', timeZone: 'UTC' })

/** That a person stands behind an answer, and since when. */
export const AnswerSeal = ({ checkedAt }: { checkedAt: string }) => (
  <Badge variant="outline" className="mr-1.5 border-seal/50 text-seal">
    <ShieldCheck aria-hidden />
    Checked by a person on {dayFormat.format(new Date(checkedAt))}
  </Badge>
)
