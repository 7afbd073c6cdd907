import type { Metadata } from 'next'
import { IncidentsScreen } from '#components/admin/incidents-screen.tsx'
import { page } from '#lib/auth/index.ts'
import { listIncidents } from '#lib/incidents.ts'
import { findTargets, liftSwitch, throwSwitch } from './actions.ts'

export const metadata: Metadata = { title: 'Incidents' }

export default async function IncidentsPage() {
  const viewer = await page('incident.manage')
  return <IncidentsScreen switches={await listIncidents(viewer)} actions={{ throwSwitch, liftSwitch, findTargets }} />
}
