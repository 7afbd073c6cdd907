/** The part of the policy in force that says how reviews go. */
import { database } from '#db/client.ts'
import { findGatewaySettings } from '#db/queries/gateway-settings.ts'
import { type ReviewPolicy, reviewPolicySchema } from '#lib/shared/policy-contract.ts'

/**
 * Of now, whatever was in force when an item was opened. Never inside a transaction. Rules that cannot be read count as none: they
 * tell nobody and seed nothing, and what waits goes on waiting for a person.
 */
export const reviewPolicyOf = async (workspaceId: string): Promise<ReviewPolicy> => {
  const { settings } = await findGatewaySettings(database().db, workspaceId)
  return settings?.policy.review ?? reviewPolicySchema.parse({})
}
