/** Who may read passages of a collection, beside every other rule of what may leave. Pure. */
import type { Policy } from '#lib/shared/policy-contract.ts'
import type { Candidate } from './call.ts'

/** The collections whose text is in what is sent. `unknown`: nobody said, so it may be any. */
export type Carried = readonly string[] | 'unknown'

type Asked = { key: string; provider: Pick<Candidate['provider'], 'id' | 'kind' | 'local'> }

/**
 * Whether a model may read text of these collections: each that the policy names must allow it. A collection that is not named may be
 * read by all, and the built-in answerer, which sends nothing, reads everything. Fails closed where it is not known what is sent.
 */
export const mayRead = ({ key, provider }: Asked, exposure: Policy['exposure'], carried: Carried): boolean =>
  provider.kind === 'built-in' ||
  exposure
    .filter(({ collectionId }) => carried === 'unknown' || carried.includes(collectionId))
    .every(({ to }) => (to === 'local' ? provider.local : to.includes(provider.id) || to.includes(key)))
