/** What is recorded and kept: audit events, incident switches, legal holds. */

/** What can be turned off in an emergency. */
export const switchKinds = ['generation', 'provider', 'model', 'collection', 'person', 'document'] as const
export type SwitchKind = (typeof switchKinds)[number]

/** What a legal hold keeps from being deleted. */
export const holdKinds = ['person', 'document', 'collection'] as const
export type HoldKind = (typeof holdKinds)[number]

/** A line of the audit log, as it is shown. */
export type AuditRow = {
  id: number
  at: string
  event: string
  /** Null: the system itself, or a stranger. The name is null when the person is gone. */
  actor: { id: string; name: string | null } | null
  objectId: string | null
  /** What the object is called today; null when it is no object with a name, or gone. */
  objectName: string | null
  details: Record<string, unknown>
  beforeHash: string | null
  afterHash: string | null
  address: string | null
  requestId: string | null
  place: number | null
  hash: string | null
}

/** What is looked for; all of it must be true of a line. Times are moments in ISO 8601, the end is not included. */
export type AuditFilter = {
  from?: string | undefined
  to?: string | undefined
  actor?: string | undefined
  /** An event (`grant.given`) or all that begin with a noun (`grant`). */
  event?: string | undefined
  object?: string | undefined
  request?: string | undefined
}

export type AuditList = { lines: AuditRow[]; more: boolean }

/**
 * How a chain is broken. `changed`: the line is not what was written, or was put where it stands. `missing`: lines before it are gone.
 * `inserted`: it stands at the place of another, or in no chain. `cut-off`: the last lines are gone. `head`: the
 * record of where it ends is gone, or says otherwise.
 */
export type AuditFault = 'changed' | 'missing' | 'inserted' | 'cut-off' | 'head'

export type ChainVerdict = {
  /** Null: the installation's own chain. */
  workspaceId: string | null
  workspace: string | null
  /** Lines that were read. */
  lines: number
  /** The place of the first line that is still kept; greater than 1 where the oldest were deleted by retention. */
  firstPlace: number | null
  /** Where the chain ends, for keeping elsewhere; null when there is no line. */
  head: { place: number; hash: string } | null
  /** The first line that does not fit. */
  broken: { fault: AuditFault; place: number; lineId: number | null; words: string } | null
}

/** A head that was kept elsewhere, against the chains: what became of the line it names. */
export type HeadVerdict = 'matches' | 'differs' | 'missing' | 'deleted'

/** `head`: what became of the head that was asked about; null when none was. */
export type AuditCheck = { chains: ChainVerdict[]; head: HeadVerdict | null }
