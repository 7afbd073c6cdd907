/** Which models incident switches leave: what is off is no candidate, and so no fallback either. */
import { type SwitchOn, switchesOn, type Watch, watchSwitches } from '#lib/switches.ts'
import type { Candidate } from './call.ts'
import { listCandidates } from './registry.ts'

type Asked = { key: string; provider: { id: string } }

const keepsFrom = ({ kind, targetId }: SwitchOn, { key, provider }: Asked): boolean =>
  (kind === 'provider' && targetId === provider.id) || (kind === 'model' && targetId === key)

/** Every model that may be asked now, in no order; none while all answers are off. Throws `not-ready` when that cannot be read. */
export const listAskable = async (workspaceId: string): Promise<Candidate[]> => {
  const [known, off] = await Promise.all([listCandidates(workspaceId), switchesOn(workspaceId)])
  if (off.some(({ kind }) => kind === 'generation')) return []
  return known.filter((candidate) => !off.some((one) => keepsFrom(one, candidate)))
}

/** Whether a provider's encoder may be asked: searching goes on while answers are off. Throws `not-ready`. */
export const isAskable = async (workspaceId: string, encoder: Asked): Promise<boolean> =>
  !(await switchesOn(workspaceId)).some((one) => keepsFrom(one, encoder))

/** Aborts with `switched-off` when all answers are, or the model that is being asked just then. */
export const watchAsked = (workspaceId: string, asked: () => Candidate | undefined): Watch =>
  watchSwitches(workspaceId, (off) => {
    const candidate = asked()
    return off.kind === 'generation' || (candidate !== undefined && keepsFrom(off, candidate))
  })
