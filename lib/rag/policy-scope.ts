/** The collections that a feature searches: what was asked for, as far as the workspace's policy lets the feature use it. Pure. */
import type { Policy, PolicyFeature } from '#lib/shared/policy-contract.ts'
import { featureWords } from '#lib/shared/policy-words.ts'

/** `closed`: in words, why nothing may be searched at all; an empty list of collections means all of them and never none. */
export type PolicyScope = { collectionIds: readonly string[]; closed: null } | { collectionIds: null; closed: string }

export const policyScope = (
  { features }: Pick<Policy, 'features'>,
  feature: PolicyFeature,
  asked: readonly string[],
): PolicyScope => {
  const allowed = features[feature]
  if (allowed === null) return { collectionIds: asked, closed: null }
  const both = asked.length > 0 ? asked.filter((id) => allowed.includes(id)) : allowed
  if (both.length > 0) return { collectionIds: both, closed: null }
  const what = allowed.length === 0 ? 'no collection' : 'none of the collections that were chosen'
  const step = allowed.length === 0 ? 'Ask an admin about it.' : 'Choose others, or ask an admin about it.'
  return {
    collectionIds: null,
    closed: `Nothing was searched: in this workspace ${featureWords[feature].toLowerCase()} may use ${what}. ${step}`,
  }
}
