'use client'
import { ChevronRight, Download, ShieldCheck } from 'lucide-react'
import type { Route } from 'next'
import Form from 'next/form'
import Link from 'next/link'
import { type ReactNode, useState } from 'react'
import { Badge } from '#components/ui/badge.tsx'
import { Button } from '#components/ui/button.tsx'
import { EmptyState } from '#components/ui/empty-state.tsx'
import { Input, Label } from '#components/ui/input.tsx'
import type { AuditAddress } from '#lib/shared/audit-address.ts'
import { auditEvents, eventInWords } from '#lib/shared/audit-events.ts'
import { cn } from '#lib/shared/cn.ts'
import type { ActionResult } from '#lib/shared/errors.ts'
import type { AuditList, AuditRow, ChainVerdict } from '#lib/shared/records-contract.ts'
import { AdminHeader, AdminTitle } from './admin-header.tsx'
import { actorInWords, auditQuery, detailsInWords, verdictInWords } from './audit-words.ts'
import { attempt } from './models-form.ts'
import { Select } from './select.tsx'
import { When } from './when.tsx'

type Verify = (input: Record<string, never>) => Promise<ActionResult<ChainVerdict>>

const events = Object.keys(auditEvents)
const nouns = [...new Set(events.map((event) => event.split('.')[0] ?? event))]

const pageHref = (query: string): Route => `/admin/audit${query}` as Route

const Field = ({
  label,
  name,
  children,
  wide,
}: {
  label: string
  name: string
  children: ReactNode
  wide?: boolean
}) => (
  <div className={cn('min-w-0 max-sm:w-full', wide ? 'w-56' : 'w-36')}>
    <Label htmlFor={`audit-${name}`}>{label}</Label>
    {children}
  </div>
)

/** A form that only reads: what is looked for is the address. */
const Search = ({ address }: { address: AuditAddress }) => {
  const text = (name: 'actor' | 'object' | 'request', label: string, placeholder: string) => (
    <Field label={label} name={name} wide>
      <Input
        id={`audit-${name}`}
        name={name}
        defaultValue={address[name] ?? ''}
        placeholder={placeholder}
        maxLength={200}
      />
    </Field>
  )
  const day = (name: 'from' | 'to', label: string) => (
    <Field label={label} name={name}>
      <Input id={`audit-${name}`} name={name} type="date" defaultValue={address[name] ?? ''} />
    </Field>
  )
  return (
    <search className="block border-b px-5 py-3 max-sm:px-4">
      {/* Another address is another form: what its fields begin with is read only once. */}
      <Form key={auditQuery(address)} action={pageHref('')} className="flex flex-wrap items-end gap-3">
        {day('from', 'From (UTC)')}
        {day('to', 'To (UTC)')}
        {text('actor', 'Person', 'Name, e-mail or id')}
        <Field label="What happened" name="event" wide>
          <Select id="audit-event" name="event" className="w-full" defaultValue={address.event ?? ''}>
            <option value="">Anything</option>
            {address.event && !events.includes(address.event) && !nouns.includes(address.event) && (
              <option value={address.event}>{address.event}</option>
            )}
            {nouns.map((noun) => {
              const own = events.filter((event) => event.split('.')[0] === noun)
              return (
                <optgroup key={noun} label={noun}>
                  {own.length > 1 && <option value={noun}>Anything about: {noun}</option>}
                  {own.map((event) => (
                    <option key={event} value={event}>
                      {eventInWords(event)}
                    </option>
                  ))}
                </optgroup>
              )
            })}
          </Select>
        </Field>
        {text('object', 'Object', 'Id of what was changed')}
        {text('request', 'Request', 'Id of the request')}
        <Button type="submit" variant="primary">
          Search
        </Button>
        {auditQuery(address) && (
          <Button variant="quiet" asChild>
            <Link href={pageHref('')}>Clear</Link>
          </Button>
        )}
      </Form>
    </search>
  )
}

const Fact = ({ name, children, mono }: { name: string; children: ReactNode; mono?: boolean }) => (
  <>
    <dt className="text-muted-foreground">{name}</dt>
    <dd className={cn('min-w-0 break-words', mono && 'break-all font-mono text-[12px]')}>{children}</dd>
  </>
)

const Line = ({ line, address }: { line: AuditRow; address: AuditAddress }) => {
  const { actor, objectId, objectName, requestId } = line
  const filterLink = (changes: Parameters<typeof auditQuery>[1], words: string) => (
    <Link className="underline underline-offset-2" href={pageHref(auditQuery(address, changes))} prefetch={false}>
      {words}
    </Link>
  )
  return (
    <li className="border-b">
      <details className="group">
        <summary className="grid cursor-pointer list-none grid-cols-[16px_110px_minmax(0,1fr)_minmax(0,1.4fr)_minmax(0,1.4fr)] items-center gap-3 px-5 py-[9px] text-[13px] hover:bg-muted/50 focus-visible:-outline-offset-2 max-md:grid-cols-[16px_minmax(0,1fr)_auto] max-sm:px-4 [&::-webkit-details-marker]:hidden">
          <ChevronRight aria-hidden className="size-4 text-muted-foreground group-open:rotate-90" />
          <When iso={line.at} className="num text-muted-foreground max-md:order-3" />
          <bdi className="truncate max-md:order-4 max-md:col-start-2 max-md:text-muted-foreground">
            {actorInWords(line)}
          </bdi>
          <span className="truncate font-medium max-md:order-2">{eventInWords(line.event)}</span>
          <bdi className="truncate text-muted-foreground max-md:hidden">{objectName ?? objectId ?? '—'}</bdi>
        </summary>
        <div className="px-5 pt-1 pb-4 pl-12 text-[13px] max-sm:px-4">
          <dl className="grid grid-cols-[minmax(96px,auto)_minmax(0,1fr)] gap-x-4 gap-y-1.5">
            <Fact name="When">{line.at.replace('T', ' ').replace('Z', ' UTC')}</Fact>
            <Fact name="Who">
              <bdi>{actorInWords(line)}</bdi>
              {actor && <> · {filterLink({ actor: actor.id }, 'all by this person')}</>}
            </Fact>
            <Fact name="Event" mono>
              {line.event}
            </Fact>
            {objectId && (
              <Fact name="Object">
                {objectName && (
                  <>
                    <bdi>{objectName}</bdi> ·{' '}
                  </>
                )}
                <span className="break-all font-mono text-[12px]">{objectId}</span> ·{' '}
                {filterLink({ object: objectId }, 'all about it')}
              </Fact>
            )}
            {detailsInWords(line.details).map(({ name, value }) => (
              <Fact key={name} name={name}>
                <bdi>{value}</bdi>
              </Fact>
            ))}
            {line.beforeHash && (
              <Fact name="Before (hash)" mono>
                {line.beforeHash}
              </Fact>
            )}
            {line.afterHash && (
              <Fact name="After (hash)" mono>
                {line.afterHash}
              </Fact>
            )}
            <Fact name="From address">{line.address ?? 'not known'}</Fact>
            {requestId && (
              <Fact name="Request">
                <span className="break-all font-mono text-[12px]">{requestId}</span> ·{' '}
                {filterLink({ request: requestId }, 'all of it')}
              </Fact>
            )}
            <Fact name="In the chain" mono>
              {line.place === null ? 'not chained' : `${line.place}:${line.hash ?? ''}`}
            </Fact>
          </dl>
        </div>
      </details>
    </li>
  )
}

/** The chain walked on the server, and what came of it. */
const Verification = ({ verify }: { verify: Verify }) => {
  const [pending, setPending] = useState(false)
  const [result, setResult] = useState<{ verdict: ChainVerdict } | { error: string } | null>(null)
  const run = async () => {
    if (pending) return
    setPending(true)
    const done = await attempt(verify({}))
    setPending(false)
    setResult('value' in done ? { verdict: done.value } : { error: done.error })
  }
  const verdict = result && 'verdict' in result ? result.verdict : null
  return (
    <section aria-label="Verification" className="border-b px-5 py-3 text-[13px] max-sm:px-4">
      <div className="flex flex-wrap items-center gap-3">
        <Button onClick={run} aria-disabled={pending}>
          <ShieldCheck />
          {pending ? 'Verifying' : 'Verify now'}
        </Button>
        <p className="min-w-0 flex-1 basis-60 text-muted-foreground">
          Each line carries the hash of the one before it: a line that was changed, removed, moved or added is found.
        </p>
      </div>
      <div role="status">
        {verdict && (
          <div className="mt-3 flex flex-col items-start gap-1.5">
            <Badge variant={verdict.broken ? 'destructive' : 'success'}>{verdict.broken ? 'Broken' : 'Whole'}</Badge>
            <p>{verdictInWords(verdict)}</p>
            {verdict.broken && <p>Keep a backup as it is, and tell whoever runs the installation.</p>}
            {verdict.head && !verdict.broken && (
              <p className="text-muted-foreground">
                Keep its head elsewhere to notice that the whole was rewritten:{' '}
                <code className="break-all">{`${verdict.head.place}:${verdict.head.hash}`}</code>
              </p>
            )}
          </div>
        )}
        {result && 'error' in result && <p className="mt-3 text-destructive">{result.error}</p>}
      </div>
    </section>
  )
}

/** Who did what and when, as it was written in the transaction of each change. */
export const AuditScreen = ({
  list: { lines, more },
  address,
  verify,
}: {
  list: AuditList
  address: AuditAddress
  verify: Verify
}) => {
  const query = auditQuery(address)
  const last = lines.at(-1)
  const older = last && `${query ? `${query}&` : '?'}before=${last.id}`
  return (
    <>
      <AdminHeader
        actions={
          <Button asChild>
            <a href={`/api/audit${query}`} download>
              <Download />
              <span className="max-sm:sr-only">Export CSV</span>
            </a>
          </Button>
        }
      >
        <AdminTitle>Audit log</AdminTitle>
      </AdminHeader>
      <div className="min-h-0 flex-1 overflow-y-auto">
        <Search address={address} />
        <Verification verify={verify} />
        {lines.length > 0 ? (
          <ul aria-label="Lines, newest first">
            {lines.map((line) => (
              <Line key={line.id} line={line} address={address} />
            ))}
          </ul>
        ) : (
          <EmptyState
            title={query || address.before ? 'No line is like that' : 'Nothing has happened yet'}
            {...(query || address.before
              ? {
                  action: (
                    <Button asChild>
                      <Link href={pageHref('')}>Show all</Link>
                    </Button>
                  ),
                }
              : {})}
          >
            {query || address.before
              ? 'Take a word away, choose a longer time, or look at the newest lines.'
              : 'Sign-ins, denials and every change of people, documents, access and rules are written down here.'}
          </EmptyState>
        )}
        {(address.before || more) && (
          <nav aria-label="Pages" className="flex justify-between gap-2 px-5 py-4 max-sm:px-4">
            {address.before ? (
              <Button asChild>
                <Link href={pageHref(query)}>Show the newest</Link>
              </Button>
            ) : (
              <span />
            )}
            {more && older && (
              <Button asChild>
                <Link href={pageHref(older)}>Show older</Link>
              </Button>
            )}
          </nav>
        )}
      </div>
    </>
  )
}
