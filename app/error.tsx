'use client'
import { DeadEnd } from '#components/shell/dead-end.tsx'
import { Button } from '#components/ui/button.tsx'
import { AppError, publicError } from '#lib/shared/errors.ts'

/** The door of a page says by this that it was opened too often; see lib/auth/doors.ts. */
const limited = 'rate-limited'

export default function PageError({ error, reset }: { error: Error & { digest?: string }; reset: () => void }) {
  return (
    <DeadEnd
      title="This page could not be shown"
      actions={
        <>
          <Button variant="primary" onClick={reset}>
            Try again
          </Button>
          {/* A whole page load on purpose: it also helps when a new version was put in place meanwhile. */}
          <Button onClick={() => window.location.assign('/')}>Go to the start</Button>
        </>
      }
    >
      {error.digest === limited ? (
        publicError(new AppError(limited)).message
      ) : (
        <>
          Something went wrong on our side; nothing you stored is lost. If it goes on, tell an admin
          {error.digest ? (
            <>
              {' '}
              the number <code className="font-mono text-foreground">{error.digest}</code>
            </>
          ) : null}
          .
        </>
      )}
    </DeadEnd>
  )
}
