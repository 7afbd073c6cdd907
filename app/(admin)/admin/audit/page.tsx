import type { Metadata } from 'next'
import { AuditScreen } from '#components/admin/audit-screen.tsx'
import { readAuditLog } from '#lib/audit-log.ts'
import { page } from '#lib/auth/index.ts'
import { readAuditAddress } from '#lib/shared/audit-address.ts'
import { verifyAudit } from './actions.ts'

export const metadata: Metadata = { title: 'Audit log' }

export default async function AuditPage({ searchParams }: { searchParams: Promise<Record<string, unknown>> }) {
  const viewer = await page('audit.read')
  const { address, filter, before } = readAuditAddress(await searchParams)
  return <AuditScreen list={await readAuditLog(viewer, { ...filter, before })} address={address} verify={verifyAudit} />
}
