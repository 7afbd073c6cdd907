/**
 * Sign-in through an OpenID provider that the operator names. Auth.js does discovery, PKCE, state, nonce, issuer and audience; here
 * the ID token's signature is checked as well, and it is decided whose account a provider's word opens.
 *
 * Guarantees: an account belongs to issuer and subject, never to an address alone; an address counts only when the provider says that
 * it has verified it; what opened an account before its address was verified opens it no more; an account that another identity opens
 * already is never opened by a second one; strangers come in by an open invitation to their verified address, or by a group that the
 * workspace has bound to a claim.
 */
import { createRemoteJWKSet, type JWTPayload, jwtVerify } from 'jose'
import { customFetch, type NextAuthConfig } from 'next-auth'
import { z } from 'zod'
import { database, type Tx } from '#db/client.ts'
import {
  endUnprovenAccess,
  getAccountOf,
  getIdentityOwner,
  insertIdentity,
  joinClaimGroups,
  leaveClaimGroups,
  listClaimGroups,
  listHeldGroups,
  listOpenInvitations,
  lockIdentity,
  lockStandings,
  noteIdentityUsed,
} from '#db/queries/identities.ts'
import { claimInvitation, joinWorkspace } from '#db/queries/invitations.ts'
import { listHoldsOn } from '#db/queries/legal-holds.ts'
import { deleteMember, endAccess, insertMembership, setRole, setSuspended } from '#db/queries/members.ts'
import { insertUser } from '#db/queries/sign-in.ts'
import { audit } from '#lib/audit.ts'
import type { Env } from '#lib/env.ts'
import { log } from '#lib/log.ts'
import { emailSchema, personNameSchema } from '#lib/shared/account-contract.ts'
import { newId } from '#lib/shared/ids.ts'
import { claimChanges } from './claims.ts'
import { type Caller, enterByIdentity, type FirstStep, mayEnter, nameHash, recordRefusal } from './entry.ts'

type OidcSettings = NonNullable<Env['oidc']>
type OidcProvider = Extract<NextAuthConfig['providers'][number], { type: 'oidc' }>

const answerMs = 10_000
/** Names of groups beyond this are not looked at: no directory puts a person into more. */
const groupsMax = 1_000

/** The operator named the provider, so it may stand anywhere; but it answers in time and sends nobody elsewhere. */
const boundedFetch: typeof fetch = (input, init) =>
  fetch(input, { ...init, redirect: 'error', signal: AbortSignal.timeout(answerMs) })

export const oidcProvider = ({ issuer, clientId, clientSecret, name }: OidcSettings): OidcProvider => ({
  id: 'oidc',
  name,
  type: 'oidc',
  issuer,
  clientId,
  clientSecret,
  checks: ['pkce', 'state', 'nonce'],
  authorization: { params: { scope: 'openid profile email' } },
  // Nothing of the profile is taken over before it is checked; see `signInWithTokens`.
  profile: () => ({}),
  [customFetch]: boundedFetch,
})

const metadataSchema = z.object({ issuer: z.string(), jwks_uri: z.url(), userinfo_endpoint: z.url().optional() })

/** `url` of the provider as JSON. Throws when it does not answer as it should. */
const getJson = async (url: string, headers: Record<string, string> = {}): Promise<unknown> => {
  const response = await boundedFetch(url, { headers: { accept: 'application/json', ...headers } })
  if (!response.ok) throw new Error(`the provider answered ${response.status}`)
  return response.json()
}

type Tokens = { id_token?: string | undefined; access_token?: string | undefined }

/**
 * The claims of an ID token whose signature, issuer, audience and time are right. The keys are asked for anew each time: one that was
 * withdrawn opens nothing, one that was rotated in works at once. Claims about the address that the token leaves out are asked for
 * at the provider's userinfo (OpenID Connect Core, 5.4).
 */
export const verifiedClaims = async (
  { issuer, clientId }: Pick<OidcSettings, 'issuer' | 'clientId'>,
  { id_token: idToken, access_token: accessToken }: Tokens,
): Promise<JWTPayload & { sub: string }> => {
  if (!idToken) throw new Error('the provider sent no ID token')
  const metadata = metadataSchema.parse(await getJson(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`))
  if (new URL(metadata.issuer).href !== new URL(issuer).href) throw new Error('the provider is another issuer')
  const keys = createRemoteJWKSet(new URL(metadata.jwks_uri), { timeoutDuration: answerMs })
  const { payload } = await jwtVerify(idToken, keys, {
    issuer: metadata.issuer,
    audience: clientId,
    requiredClaims: ['sub', 'exp', 'iat'],
  })
  const { sub } = payload
  if (!sub) throw new Error('the ID token names nobody')
  if (payload.email !== undefined || !metadata.userinfo_endpoint || !accessToken) return { ...payload, sub }
  const more = z
    .looseObject({ sub: z.string() })
    .parse(await getJson(metadata.userinfo_endpoint, { authorization: `Bearer ${accessToken}` }))
  if (more.sub !== sub) throw new Error('userinfo speaks of somebody else')
  return { ...more, ...payload, sub }
}

/** A provider's word about a person, checked and made plain. */
export type ProviderWord = {
  issuer: string
  subject: string
  /** Null unless the provider says that it has verified it. */
  verifiedEmail: string | null
  name: string | null
  groups: string[]
}

export const wordOf = (
  { issuer, groupsClaim }: Pick<OidcSettings, 'issuer' | 'groupsClaim'>,
  claims: JWTPayload & { sub: string },
): ProviderWord => {
  const email = claims.email_verified === true ? emailSchema.safeParse(claims.email) : null
  const named = [claims.name, claims.preferred_username].map((name) => personNameSchema.safeParse(name))
  const groups = [claims[groupsClaim] ?? []].flat()
  return {
    issuer: new URL(issuer).href,
    subject: claims.sub,
    verifiedEmail: email?.success ? email.data : null,
    name: named.find((name) => name.success)?.data ?? null,
    groups: groups.filter((group): group is string => typeof group === 'string' && group !== '').slice(0, groupsMax),
  }
}

/** Why a provider's word opens nothing, as the sign-in page tells it. */
type OidcRefusal = 'unverified' | 'taken' | 'uninvited' | 'suspended'

type Settled = { userId: string } | { refused: OidcRefusal }

const linkIdentity = async (tx: Tx, word: ProviderWord, userId: string, how: 'address' | 'new'): Promise<void> => {
  const ended = how === 'address' ? await endUnprovenAccess(tx, userId) : null
  await insertIdentity(tx, { issuer: word.issuer, subject: word.subject, userId })
  await audit(tx, {
    actor: { userId, workspaceId: null },
    event: 'identity.linked',
    objectId: userId,
    details: { issuer: word.issuer, how, ...(ended ? { ended } : {}) },
  })
}

/** A new account for a stranger who has been invited or whose groups are known here. */
const settleStranger = async (tx: Tx, word: ProviderWord, email: string): Promise<Settled> => {
  const open = await listOpenInvitations(tx, email)
  const claimed = await listClaimGroups(tx, word.groups)
  if (open.length === 0 && claimed.length === 0) return { refused: 'uninvited' }
  const userId = await insertUser(tx, {
    id: newId(),
    email,
    name: word.name ?? email.split('@')[0] ?? email,
    passwordHash: null,
  })
  // Somebody made an account for the address a moment ago; the next try finds it.
  if (!userId) return { refused: 'taken' }
  await linkIdentity(tx, word, userId, 'new')
  for (const { id, workspaceId, role, groupIds } of open) {
    if (!(await claimInvitation(tx, id))) continue
    await joinWorkspace(tx, { workspaceId, role, groupIds }, userId)
    const details = { role, groupIds, by: 'identity' }
    await audit(tx, { actor: { userId, workspaceId }, event: 'invitation.accepted', objectId: id, details })
  }
  return { userId }
}

/** Whose account the word opens. A new subject gets an account that it does not have only by an address that is verified and free. */
const settle = async (tx: Tx, word: ProviderWord): Promise<Settled> => {
  const known = await getIdentityOwner(tx, word)
  if (known) {
    await noteIdentityUsed(tx, word)
    return { userId: known }
  }
  const { verifiedEmail } = word
  if (!verifiedEmail) return { refused: 'unverified' }
  // No provider vouches for the demo's people.
  if (!mayEnter({ email: verifiedEmail })) return { refused: 'uninvited' }
  const account = await getAccountOf(tx, verifiedEmail)
  if (!account) return settleStranger(tx, word, verifiedEmail)
  if (account.hasIdentity) return { refused: 'taken' }
  await linkIdentity(tx, word, account.userId, 'address')
  return account
}

/** Makes the person's places, roles and groups what the provider's groups say now. */
const syncClaims = async (tx: Tx, userId: string, groups: readonly string[]): Promise<void> => {
  const [wanted, held] = [await listClaimGroups(tx, groups), await listHeldGroups(tx, userId)]
  if (wanted.length === 0 && held.length === 0) return
  const standings = await lockStandings(tx, userId)
  const { join, leave, roles, addTo, removeFrom } = claimChanges(wanted, held, standings)
  for (const { workspaceId, role } of join) {
    await insertMembership(tx, { workspaceId, userId, role })
    const actor = { userId, workspaceId }
    const details = { to: role, by: 'claim' }
    await audit(tx, { actor, event: 'member.role-changed', objectId: userId, details, after: { role } })
  }
  for (const { workspaceId, from, to } of roles) {
    await setRole(tx, { workspaceId }, userId, to)
    await audit(tx, {
      actor: { userId, workspaceId },
      event: 'member.role-changed',
      objectId: userId,
      details: { from, to, by: 'claim' },
      before: { role: from },
      after: { role: to },
    })
  }
  await leaveClaimGroups(tx, userId, removeFrom)
  await joinClaimGroups(tx, userId, addTo)
  const moved = [...wanted, ...held].filter(({ groupId }) => addTo.includes(groupId) || removeFrom.includes(groupId))
  for (const { groupId, workspaceId } of moved) {
    const details = { by: 'claim', [addTo.includes(groupId) ? 'added' : 'removed']: [userId] }
    await audit(tx, { actor: { userId, workspaceId }, event: 'group.changed', objectId: groupId, details })
  }
  for (const workspaceId of leave) {
    const details = { ...(await endAccess(tx, { workspaceId }, userId)), by: 'claim' }
    const actor = { userId, workspaceId }
    // What a legal hold keeps is kept from them all the same.
    if ((await listHoldsOn(tx, { workspaceId, kind: 'person', ids: [userId] })).length > 0) {
      await setSuspended(tx, { workspaceId }, userId, true)
      await audit(tx, { actor, event: 'member.suspended', objectId: userId, details })
      continue
    }
    await deleteMember(tx, { workspaceId }, userId)
    const before = standings.find((one) => one.workspaceId === workspaceId)
    await audit(tx, {
      actor,
      event: 'member.removed',
      objectId: userId,
      details,
      before: before && { role: before.role, suspended: before.suspended },
    })
  }
}

/** Lets in whom a provider's word opens an account for; otherwise says why not, for the sign-in page. */
export const enterByWord = async (
  word: ProviderWord,
  caller: Caller,
): Promise<Exclude<FirstStep, null> | { refused: OidcRefusal }> => {
  const settled = await database().db.transaction(async (tx) => {
    await lockIdentity(tx, [`${word.issuer} ${word.subject}`, ...(word.verifiedEmail ? [word.verifiedEmail] : [])])
    const one = await settle(tx, word)
    if ('userId' in one) await syncClaims(tx, one.userId, word.groups)
    return one
  })
  const step = 'userId' in settled ? await enterByIdentity(settled.userId, caller) : null
  if (step) return step
  const refused = 'refused' in settled ? settled.refused : 'suspended'
  const objectId = nameHash(`${word.issuer} ${word.subject}`)
  await recordRefusal({ objectId, workspaceId: null, step: 'identity', reason: refused })
  return { refused }
}

/** The whole of it for Auth.js: the tokens of an exchange become a step or a refusal. Throws when they are not what they should be. */
export const signInWithTokens = async (
  settings: OidcSettings,
  tokens: Tokens,
  caller: Caller,
): ReturnType<typeof enterByWord> => {
  try {
    return await enterByWord(wordOf(settings, await verifiedClaims(settings, tokens)), caller)
  } catch (error) {
    log.warn({ err: error }, 'a sign-in through the provider failed')
    throw error
  }
}
