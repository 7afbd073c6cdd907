/**
 * The rules in force for a workspace's calls, read at most once a second. A change counts at once where it was made and within that
 * second everywhere else; rules that cannot be read are asked for again by the next call.
 */
import { database } from '#db/client.ts'
import { getGatewaySettings } from '#db/queries/gateway-settings.ts'
import { createMemo, type Memo } from '#lib/shared/memo.ts'

type InForce = Awaited<ReturnType<typeof getGatewaySettings>>

const freshMs = 1_000
const workspacesMax = 1_000

type Held = { footnoteGatewaySettings?: Memo<InForce> }
const held = globalThis as typeof globalThis & Held
/** One a process, whichever bundle asks: the form that saves and the stream that reads are in different ones. */
const memo = (): Memo<InForce> => {
  held.footnoteGatewaySettings ??= createMemo({ entriesMax: workspacesMax, ttlMs: freshMs })
  return held.footnoteGatewaySettings
}

/** Throws `internal` when what is stored cannot be read: money must not follow a guess. */
export const settingsOf = (workspaceId: string): Promise<InForce> =>
  memo().get(workspaceId, () => getGatewaySettings(database().db, workspaceId))

/** After a change in this process. */
export const forgetSettings = (workspaceId: string): void => memo().purge(workspaceId)
