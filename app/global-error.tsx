'use client'
import './globals.css'
import PageError from './error.tsx'

/** When even the root layout failed; brings its own document. */
export default function GlobalError(props: { error: Error & { digest?: string }; reset: () => void }) {
  return (
    <html lang="en" className="system">
      <body>
        <title>This page could not be shown · Footnote</title>
        <PageError {...props} />
      </body>
    </html>
  )
}
