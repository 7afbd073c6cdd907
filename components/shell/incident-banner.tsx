'use client'
import { OctagonPause } from 'lucide-react'
import type { Notice } from '#lib/shared/incidents-contract.ts'
import { shownName } from '#lib/shared/shown-name.ts'
import { useNotices } from './use-notices.ts'

/** What is switched off now, above the page. The region is always there, so that it is read out when something comes into it. */
export const NoticeList = ({ notices }: { notices: readonly Notice[] }) => (
  <div role="status" aria-label="Switched off" className="shrink-0 print:hidden">
    {notices.length > 0 && (
      <ul className="max-h-[30dvh] overflow-y-auto border-destructive border-b bg-destructive/10">
        {notices.map(({ id, words }) => (
          <li key={id} className="flex items-start gap-3 px-5 py-2 text-[13px] max-sm:px-4">
            <OctagonPause aria-hidden className="mt-0.5 size-4 shrink-0 text-destructive" />
            <p dir="auto" className="min-w-0 flex-1 break-words">
              {shownName(words)}
            </p>
          </li>
        ))}
      </ul>
    )}
  </div>
)

/** Says on every open page, within seconds, what an admin has switched off and that it is on again. */
export const IncidentBanner = ({ initial }: { initial: readonly Notice[] }) => (
  <NoticeList notices={useNotices(initial)} />
)
