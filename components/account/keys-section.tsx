'use client'
import { type FormEvent, useId, useState } from 'react'
import { copyText } from '#components/admin/members-parts.tsx'
import { attempt } from '#components/admin/models-form.ts'
import { Select } from '#components/admin/select.tsx'
import { When } from '#components/admin/when.tsx'
import {
  AlertDialog,
  AlertDialogAction,
  AlertDialogCancel,
  AlertDialogContent,
  AlertDialogDescription,
  AlertDialogFooter,
  AlertDialogTitle,
} from '#components/ui/alert-dialog.tsx'
import { Badge } from '#components/ui/badge.tsx'
import { Button } from '#components/ui/button.tsx'
import { Input, Label } from '#components/ui/input.tsx'
import { toast } from '#components/ui/toaster.tsx'
import type { KeyRow } from '#lib/shared/account-contract.ts'
import { type ApiScope, apiScopes } from '#lib/shared/viewer.ts'
import type { AccountActions } from './account-actions.ts'
import { AccountSection, SectionFault } from './account-section.tsx'

const scopeWords: Record<ApiScope, string> = {
  ask: 'Ask questions',
  search: 'Search',
  ingest: 'Add documents',
}
const lives = [
  [30, '30 days'],
  [90, '90 days'],
  [365, 'A year'],
] as const

const KeyForm = ({ create, onMade }: { create: AccountActions['createKey']; onMade: (key: string) => void }) => {
  const [fault, setFault] = useState<string | null>(null)
  const [pending, setPending] = useState(false)
  const ids = useId()
  const send = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    if (pending) return
    const form = new FormData(event.currentTarget)
    const name = String(form.get('name') ?? '').trim()
    const scopes = apiScopes.filter((scope) => form.has(scope))
    if (!name) return setFault('Give the key a name, so that you know it again.')
    if (scopes.length === 0) return setFault('Choose at least one thing that the key may do.')
    setPending(true)
    const made = await attempt(create({ name, scopes, days: Number(form.get('days')) }))
    setPending(false)
    if ('error' in made) setFault(made.error)
    else onMade(made.value.key)
  }
  return (
    <form onSubmit={send} noValidate className="flex max-w-sm flex-col gap-3">
      <div>
        <Label htmlFor={`${ids}-name`}>Name</Label>
        <Input
          id={`${ids}-name`}
          name="name"
          maxLength={60}
          autoComplete="off"
          autoFocus
          placeholder="Nightly import"
        />
      </div>
      <fieldset>
        <legend className="mb-1.5 font-medium text-[13px]">May</legend>
        {apiScopes.map((scope) => (
          <label key={scope} className="flex min-h-7 items-center gap-2 touch:min-h-11">
            <input type="checkbox" name={scope} className="size-4 accent-primary touch:size-5" />
            {scopeWords[scope]}
          </label>
        ))}
      </fieldset>
      <div>
        <Label htmlFor={`${ids}-days`}>Good for</Label>
        <Select id={`${ids}-days`} name="days" defaultValue="90">
          {lives.map(([days, words]) => (
            <option key={days} value={days}>
              {words}
            </option>
          ))}
        </Select>
      </div>
      <SectionFault>{fault}</SectionFault>
      <Button type="submit" variant="primary" className="self-start" aria-disabled={pending}>
        {pending ? 'Making it…' : 'Make the key'}
      </Button>
    </form>
  )
}

const NewKey = ({ value, onKept }: { value: string; onKept: () => void }) => (
  <div role="status" className="flex flex-col gap-2.5 rounded-lg border bg-muted/50 p-3">
    <p>Copy your key now: it is shown only this once. Send it as “Authorization: Bearer …”.</p>
    <code className="break-all font-mono text-[13px]">{value}</code>
    <div className="flex gap-2">
      <Button onClick={() => void copyText(value, 'The key is copied')}>Copy the key</Button>
      <Button variant="primary" onClick={onKept}>
        I have kept it
      </Button>
    </div>
  </div>
)

const stateWords = { good: null, expired: 'Expired', revoked: 'Revoked' } as const

const KeyItem = ({ row, onRevoke }: { row: KeyRow; onRevoke: () => void }) => (
  <li className="flex items-center gap-3 px-3 py-2.5">
    <div className="min-w-0 flex-1">
      <p className="flex flex-wrap items-center gap-2">
        <bdi className="truncate font-medium">{row.name}</bdi>
        <code className="font-mono text-muted-foreground text-xs">{row.prefix}…</code>
        {stateWords[row.state] && <Badge>{stateWords[row.state]}</Badge>}
      </p>
      <p className="text-[13px] text-muted-foreground">
        {row.scopes.map((scope) => scopeWords[scope]).join(', ')}. {row.state === 'good' ? 'Good until ' : 'Until '}
        {row.expiresAt.slice(0, 10)},{' '}
        {row.lastUsedAt ? (
          <>
            last used <When iso={row.lastUsedAt} />
          </>
        ) : (
          'never used'
        )}
      </p>
    </div>
    {row.state === 'good' && (
      <Button size="sm" variant="destructive" aria-label={`Revoke ${row.name}`} onClick={onRevoke}>
        Revoke
      </Button>
    )}
  </li>
)

/** Keys for programs that act as oneself in this workspace. */
export const KeysSection = ({
  keys,
  workspace,
  actions,
  onChanged,
}: {
  keys: readonly KeyRow[]
  workspace: string
  actions: Pick<AccountActions, 'createKey' | 'revokeKey'>
  onChanged: () => void
}) => {
  const [making, setMaking] = useState(false)
  const [made, setMade] = useState<string | null>(null)
  const [leaving, setLeaving] = useState<KeyRow | null>(null)
  const [fault, setFault] = useState<string | null>(null)
  const ids = useId()
  const revoke = async ({ id, name }: KeyRow) => {
    const revoked = await attempt(actions.revokeKey({ id }))
    setFault('error' in revoked ? revoked.error : null)
    if ('value' in revoked) toast(`${name} is revoked`)
    onChanged()
  }
  return (
    <AccountSection
      id={`${ids}-title`}
      title="API keys"
      note={
        <>
          A program with a key acts as you in <bdi>{workspace}</bdi>, as far as the key goes. It ends with your access.
        </>
      }
    >
      {keys.length > 0 ? (
        <ul aria-labelledby={`${ids}-title`} className="mb-3 divide-y rounded-lg border">
          {keys.map((row) => (
            <KeyItem key={row.id} row={row} onRevoke={() => setLeaving(row)} />
          ))}
        </ul>
      ) : (
        <p className="mb-3 text-muted-foreground">You have no keys.</p>
      )}
      {made && <NewKey value={made} onKept={() => setMade(null)} />}
      {making && !made && (
        <KeyForm
          create={actions.createKey}
          onMade={(key) => {
            setMade(key)
            setMaking(false)
            onChanged()
          }}
        />
      )}
      {!making && !made && <Button onClick={() => setMaking(true)}>New key…</Button>}
      <SectionFault>{fault}</SectionFault>
      <AlertDialog open={leaving !== null} onOpenChange={(open) => !open && setLeaving(null)}>
        <AlertDialogContent>
          <AlertDialogTitle>Revoke {leaving?.name}?</AlertDialogTitle>
          <AlertDialogDescription>Programs that use this key are refused from now on.</AlertDialogDescription>
          <AlertDialogFooter>
            <AlertDialogCancel />
            <AlertDialogAction onClick={() => leaving && void revoke(leaving)}>Revoke the key</AlertDialogAction>
          </AlertDialogFooter>
        </AlertDialogContent>
      </AlertDialog>
    </AccountSection>
  )
}
