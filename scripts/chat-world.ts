/** A workspace to ask questions in: two documents in two collections, models behind mock providers. For tests. */
import { type Database, database } from '#db/client.ts'
import { createScratchDocument } from '#db/queries/evaluation.ts'
import { getGatewaySettings, storeGatewaySettings } from '#db/queries/gateway-settings.ts'
import { claimVersion } from '#db/queries/ingest.ts'
import { collectionGrants, collections } from '#db/schema/index.ts'
import { addTestModel, createTestWorkspace, type TestWorkspace } from '#db/testing.ts'
import type { MockProvider } from '#e2e/mock-provider.ts'
import { indexParsed } from '#ingestion/pipeline.ts'
import { loadChat, respond } from '#lib/chat/index.ts'
import { forgetSettings } from '#lib/gateway/index.ts'
import type { ChatRequest } from '#lib/shared/chat-contract.ts'
import { newId } from '#lib/shared/ids.ts'
import { type PolicyInput, policySchema } from '#lib/shared/policy-contract.ts'
import type { Viewer } from '#lib/shared/viewer.ts'

export const keysQuestion = 'How often are signing keys rotated?'
export const keysAnswer = 'Signing keys are rotated every 90 days by the platform team [1].'
export const keysText = 'Signing keys are rotated every 90 days by the platform team.'
const laptops = 'A lost laptop is reported to the help desk within four hours.'

export type ChatWorld = TestWorkspace & { secretId: string; providerIds: string[] }

export const publish = async (
  { viewers }: TestWorkspace,
  collectionId: string,
  name: string,
  text: string,
  heading = '',
): Promise<void> => {
  const { db } = database()
  const claim = await claimVersion(db, await createScratchDocument(db, viewers.admin, { collectionId, name }))
  if (!claim) throw new Error('no claim')
  const start = heading ? heading.length + 1 : 0
  const whole = heading ? `${heading}\n${text}` : text
  const blocks = [
    ...(heading ? [{ kind: 'heading' as const, level: 1, start: 0, end: heading.length }] : []),
    { kind: 'paragraph' as const, start, end: whole.length },
  ]
  await indexParsed(claim, { kind: 'text', title: name, text: whole, blocks, pages: [] }, new AbortController().signal)
}

/** Keys stand in a collection of their own, laptops in General; of several models the first is asked first. */
export const openChatWorld = async (opened: Database, vendors: readonly MockProvider[]): Promise<ChatWorld> => {
  const workspace = await createTestWorkspace(opened)
  const { db } = opened
  const { workspaceId, collectionId } = workspace
  const secretId = newId()
  await db.insert(collections).values({ id: secretId, workspaceId, name: 'Secret' })
  await db.insert(collectionGrants).values({
    id: newId(),
    workspaceId,
    collectionId: secretId,
    subject: 'workspace',
    subjectId: workspaceId,
    level: 'read',
  })
  await publish(workspace, secretId, 'Keys', keysText)
  await publish(workspace, collectionId, 'Laptops', laptops)
  const providerIds: string[] = []
  for (const [position, vendor] of vendors.entries()) {
    const providerId = await addTestModel(db, {
      workspaceId,
      baseUrl: vendor.url,
      provider: { name: `mock ${position}` },
      model: { modelId: `mock-${position}`, position },
    })
    providerIds.push(providerId)
  }
  return { ...workspace, secretId, providerIds }
}

export const setPolicy = async ({ workspaceId }: TestWorkspace, policy: PolicyInput): Promise<void> => {
  const { db } = database()
  const { settings, version } = await getGatewaySettings(db, workspaceId)
  await storeGatewaySettings(db, workspaceId, version, { ...settings, policy: policySchema.parse(policy) })
  forgetSettings(workspaceId)
}

export const asking = (text: string, rest: Partial<ChatRequest> = {}): ChatRequest => ({
  chatId: newId(),
  messageId: newId(),
  text,
  trigger: 'submit',
  collectionIds: [],
  ...rest,
})

/** The answer as a member gets it: as stored, and everything that was sent on the way. */
export const answered = async ({ viewers }: TestWorkspace, request: ChatRequest, viewer: Viewer = viewers.member) => {
  const seen: unknown[] = []
  for await (const chunk of await respond(request, viewer)) seen.push(chunk)
  const answer = (await loadChat(viewer, request.chatId))?.messages.at(-1)
  const text = (answer?.parts ?? []).map((part) => (part.type === 'text' ? part.text : '')).join('')
  return { answer, text, seen: JSON.stringify(seen), metadata: answer?.metadata }
}
