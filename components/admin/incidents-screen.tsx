'use client'
import { OctagonPause } from 'lucide-react'
import { useRouter } from 'next/navigation'
import { useState } from 'react'
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
import { EmptyState } from '#components/ui/empty-state.tsx'
import { Sheet, SheetContent } from '#components/ui/sheet.tsx'
import { toast } from '#components/ui/toaster.tsx'
import { type SwitchRow, switchEffects } from '#lib/shared/incidents-contract.ts'
import { AdminHeader, AdminTitle } from './admin-header.tsx'
import { SwitchesOn, SwitchHistory } from './incident-lists.tsx'
import { type Asked, type IncidentActions, LiftSheet, ThrowSheet, targetWords } from './incident-sheets.tsx'
import { attempt } from './models-form.ts'
import { useOpener } from './use-opener.ts'

/** Emergency switches: what is off now, switching off and on again, and what was off before. */
export const IncidentsScreen = ({
  switches,
  actions,
}: {
  switches: readonly SwitchRow[]
  actions: IncidentActions
}) => {
  const router = useRouter()
  const [panel, setPanel] = useState<{ lifts: SwitchRow | null } | null>(null)
  const [asked, setAsked] = useState<Asked | null>(null)
  const opener = useOpener()
  const open = (lifts: SwitchRow | null) => {
    opener.remember()
    setPanel({ lifts })
  }
  const done = (words: string) => {
    setPanel(null)
    toast(words)
    router.refresh()
  }
  const switchOff = async ({ input, label }: Asked) => {
    const result = await attempt(actions.throwSwitch(input))
    if ('error' in result) toast.error('Nothing was switched off', { description: result.error })
    else done(`Switched off: ${label}`)
  }
  const on = switches.filter(({ liftedAt }) => liftedAt === null)
  const lifted = switches.filter(({ liftedAt }) => liftedAt !== null)
  const off = (
    <Button variant="destructive" onClick={() => open(null)}>
      <OctagonPause aria-hidden />
      Switch off…
    </Button>
  )
  return (
    <>
      <AdminHeader actions={on.length > 0 && off}>
        <AdminTitle>Incidents</AdminTitle>
        {on.length > 0 && <Badge variant="destructive">{on.length} switched off</Badge>}
      </AdminHeader>
      <div className="min-h-0 flex-1 overflow-y-auto">
        {on.length === 0 ? (
          <EmptyState title="Nothing is switched off" action={off}>
            When something goes wrong, switch it off here: all answers, a provider, a model, a collection, a person or a
            document. It is off for everybody within seconds, open pages say so and why, and it stays off until it is
            switched on again.
          </EmptyState>
        ) : (
          <SwitchesOn switches={on} onLift={open} />
        )}
        {lifted.length > 0 && <SwitchHistory switches={lifted} />}
      </div>
      <Sheet open={panel !== null} onOpenChange={(isOpen) => !isOpen && setPanel(null)}>
        <SheetContent side="right" aria-describedby={undefined} onCloseAutoFocus={opener.giveBack}>
          {panel &&
            (panel.lifts ? (
              <LiftSheet
                lifts={panel.lifts}
                lift={actions.liftSwitch}
                onClose={() => setPanel(null)}
                onDone={() => done(`On again: ${panel.lifts ? targetWords(panel.lifts) : ''}`)}
              />
            ) : (
              <ThrowSheet find={actions.findTargets} onAsk={setAsked} onClose={() => setPanel(null)} />
            ))}
        </SheetContent>
      </Sheet>
      <AlertDialog open={asked !== null} onOpenChange={(isOpen) => !isOpen && setAsked(null)}>
        {asked && (
          <AlertDialogContent>
            <AlertDialogTitle>
              Switch off <bdi>{asked.label}</bdi>?
            </AlertDialogTitle>
            <AlertDialogDescription>
              {switchEffects[asked.input.kind]} Whom it concerns reads: “<bdi>{asked.input.reason}</bdi>”
            </AlertDialogDescription>
            <AlertDialogFooter>
              <AlertDialogCancel />
              <AlertDialogAction onClick={() => void switchOff(asked)}>Switch off now</AlertDialogAction>
            </AlertDialogFooter>
          </AlertDialogContent>
        )}
      </AlertDialog>
    </>
  )
}
