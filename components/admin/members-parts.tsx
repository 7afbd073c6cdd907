'use client'
import { ChevronLeft, ChevronRight, Copy } from 'lucide-react'
import Link from 'next/link'
import { useRouter } from 'next/navigation'
import { type ReactNode, useEffect, useId, useRef, useState, useTransition } from 'react'
import { Button } from '#components/ui/button.tsx'
import { Input } from '#components/ui/input.tsx'
import { toast } from '#components/ui/toaster.tsx'
import { formatCount } from '#lib/shared/format.ts'
import { membersPageSize } from '#lib/shared/people-contract.ts'
import { type Role, roles } from '#lib/shared/viewer.ts'
import { useReportLink } from './report-link.ts'

const typingMs = 300

/** The roles that a person may give. */
export const rolesToGive = (by: Role): readonly Role[] =>
  by === 'owner' ? roles : roles.filter((role) => role !== 'owner')

/** A search in the address, applied a moment after the last key. */
export const AddressSearch = ({ label, asked }: { label: string; asked: string }) => {
  const router = useRouter()
  const linkTo = useReportLink()
  const [text, setText] = useState(asked)
  const [, startTransition] = useTransition()
  const typed = useRef(false)

  // biome-ignore lint/correctness/useExhaustiveDependencies: only typing starts the wait
  useEffect(() => {
    if (!typed.current || text.trim() === asked) return
    const timer = setTimeout(
      () => startTransition(() => router.replace(linkTo({ q: text.trim() || null, page: null }), { scroll: false })),
      typingMs,
    )
    return () => clearTimeout(timer)
  }, [text])

  return (
    <Input
      type="search"
      className="w-64 max-sm:w-full"
      aria-label={label}
      placeholder={label}
      value={text}
      onChange={(event) => {
        typed.current = true
        setText(event.target.value)
      }}
    />
  )
}

/** Which rows are shown of how many, and the pages before and after. Nothing while all fit on one. */
export const Pager = ({ what, page, total }: { what: string; page: number; total: number }) => {
  const linkTo = useReportLink()
  const pages = Math.ceil(total / membersPageSize)
  if (pages <= 1) return null
  const first = (page - 1) * membersPageSize + 1
  const step = (to: number, label: string, icon: ReactNode) =>
    to < 1 || to > pages ? (
      <Button size="icon-sm" disabled aria-label={label}>
        {icon}
      </Button>
    ) : (
      <Button size="icon-sm" asChild>
        <Link href={linkTo({ page: to === 1 ? null : String(to) })} scroll={false} prefetch={false} aria-label={label}>
          {icon}
        </Link>
      </Button>
    )
  return (
    <nav aria-label={`Pages of ${what}`} className="flex items-center justify-end gap-2 border-t px-5 py-2 max-sm:px-4">
      <p className="num text-[12.5px] text-muted-foreground">
        {formatCount(first)} to {formatCount(Math.min(total, first + membersPageSize - 1))} of {formatCount(total)}
      </p>
      {step(page - 1, 'The page before', <ChevronLeft />)}
      {step(page + 1, 'The next page', <ChevronRight />)}
    </nav>
  )
}

export const absolute = (path: string): string => new URL(path, window.location.origin).href

export const copyText = async (text: string, done: string): Promise<void> => {
  try {
    await navigator.clipboard.writeText(text)
    toast(done)
  } catch {
    toast.error('The browser did not let it be copied. Mark the text and copy it yourself.')
  }
}

/** A link that is shown once: whoever has it can use it, so it says what to do with it. */
export const LinkOnce = ({ path, note }: { path: string; note: string }) => {
  const id = useId()
  const link = absolute(path)
  return (
    <div className="flex flex-col gap-2">
      <label htmlFor={id} className="font-medium text-[13px]">
        Link
      </label>
      <div className="flex gap-2">
        <Input
          id={id}
          readOnly
          value={link}
          aria-describedby={`${id}-note`}
          className="font-mono text-[12.5px]"
          onFocus={(event) => event.currentTarget.select()}
        />
        <Button onClick={() => void copyText(link, 'The link was copied')}>
          <Copy aria-hidden />
          Copy link
        </Button>
      </div>
      <p id={`${id}-note`} className="text-[12.5px] text-muted-foreground">
        {note}
      </p>
    </div>
  )
}
