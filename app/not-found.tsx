import type { Metadata } from 'next'
import Link from 'next/link'
import { DeadEnd } from '#components/shell/dead-end.tsx'
import { Button } from '#components/ui/button.tsx'

export const metadata: Metadata = { title: 'Nothing here' }

export default function NotFound() {
  return (
    <DeadEnd
      title="There is nothing here that you can open"
      actions={
        <Button variant="primary" asChild>
          <Link href="/">Ask a question</Link>
        </Button>
      }
    >
      The address may be wrong, the page may be gone, or it may not be open to you. If somebody sent you the link, ask
      them or an admin.
    </DeadEnd>
  )
}
