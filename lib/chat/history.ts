/** Conversations as the screens show them: loaded with their citations, listed, searched, renamed, deleted. Only the viewer's own. */
import { database } from '#db/client.ts'
import {
  deleteChat as deleteChatRow,
  getChat,
  listChats as listChatRows,
  listCitations,
  listMessages,
  openDocuments,
  type StoredMessage,
  setChatTitle,
} from '#db/queries/chats.ts'
import { audit } from '#lib/audit.ts'
import { findHoldOnChat } from '#lib/legal-holds.ts'
import type { ChatMessage, ChatSummary, Citation, MessageMetadata } from '#lib/shared/chat-contract.ts'
import { citationMarker } from '#lib/shared/chat-contract.ts'
import { AppError } from '#lib/shared/errors.ts'
import { truncate } from '#lib/shared/text.ts'
import type { Viewer } from '#lib/shared/viewer.ts'
import { can } from '#lib/shared/viewer.ts'
import { abortGeneration, textPartId } from './generation.ts'

const chatsMax = 100
const titleCharsMax = 120
const snippetChars = 90

/** Costs are for those who may see traces. */
export const showMetadata = (metadata: MessageMetadata, viewer: Viewer): MessageMetadata => {
  if (can(viewer, 'trace.read')) return metadata
  const {
    costMicros: _cost,
    traceId: _trace,
    tokens: _tokens,
    collectionIds: _ids,
    versions: _versions,
    injection: _injection,
    ...rest
  } = metadata
  return rest
}

export const toChatMessage = (message: StoredMessage, citations: readonly Citation[], viewer: Viewer): ChatMessage => ({
  id: message.id,
  role: message.role,
  metadata: {
    ...showMetadata(message.metadata, viewer),
    status: message.status,
    createdAt: message.createdAt.toISOString(),
  },
  parts: [
    ...citations.map((citation) => ({ type: 'data-citation' as const, id: `c${citation.ordinal}`, data: citation })),
    ...(message.text
      ? [{ type: 'text' as const, text: message.text, ...(message.role === 'assistant' ? { id: textPartId } : {}) }]
      : []),
  ],
})

/** Messages without the names of near documents that the viewer cannot open any more. */
export const withOpenNearest = async (viewer: Viewer, stored: readonly StoredMessage[]): Promise<StoredMessage[]> => {
  const near = stored.flatMap(({ metadata }) => metadata.nearest?.map(({ documentId }) => documentId) ?? [])
  const open = await openDocuments(database().db, viewer, near)
  return stored.map(({ metadata, ...message }) => {
    const nearest = metadata.nearest?.filter(({ documentId }) => open.has(documentId))
    return { ...message, metadata: nearest ? { ...metadata, nearest } : metadata }
  })
}

export type LoadedChat = { id: string; title: string; messages: ChatMessage[]; streaming: boolean }

/** The viewer's chat, or null. A message that is still being written is left out: the stream brings it whole. */
export const loadChat = async (viewer: Viewer, chatId: string): Promise<LoadedChat | null> => {
  const { db } = database()
  const chat = await getChat(db, viewer, chatId)
  if (!chat) return null
  const stored = await listMessages(db, chatId)
  const citations = await listCitations(
    db,
    viewer,
    stored.filter(({ role }) => role === 'assistant').map(({ id }) => id),
  )
  const shown = await withOpenNearest(viewer, stored)
  return {
    id: chat.id,
    title: chat.title,
    messages: shown
      .filter(({ status }) => status !== 'streaming')
      .map((message) => toChatMessage(message, citations.get(message.id) ?? [], viewer)),
    streaming: stored.some(({ status }) => status === 'streaming'),
  }
}

const snippetAround = (text: string, query: string): string => {
  const plain = text.replace(citationMarker, '').replace(/\s+/g, ' ')
  const at = Math.max(0, plain.toLowerCase().indexOf(query.toLowerCase()) - snippetChars / 3)
  return `${at > 0 ? '…' : ''}${truncate(plain.slice(at), snippetChars)}`
}

/** The viewer's chats, newest first; with a query those whose title or messages contain it. */
export const listChats = async (viewer: Viewer, query = ''): Promise<ChatSummary[]> => {
  const wanted = query.trim().slice(0, 200)
  const found = await listChatRows(database().db, viewer, wanted, chatsMax)
  return found.map(({ id, title, updatedAt, match }) => ({
    id,
    title,
    updatedAt: updatedAt.toISOString(),
    ...(match ? { snippet: snippetAround(match, wanted) } : {}),
  }))
}

export const renameChat = async (viewer: Viewer, chatId: string, title: string): Promise<void> => {
  const named = truncate(title.replace(/\s+/g, ' ').trim(), titleCharsMax)
  if (!named)
    throw new AppError('bad-request', { message: 'A conversation needs a name. Type at least one character.' })
  if (!(await setChatTitle(database().db, viewer, chatId, named))) throw new AppError('not-found')
}

/** Deletes the chat with everything in it; an answer that is being written stops. Throws `not-found`, `conflict` (a legal hold). */
export const deleteChat = async (viewer: Viewer, chatId: string): Promise<void> => {
  const { db } = database()
  const streaming = (await getChat(db, viewer, chatId)) ? await listMessages(db, chatId) : []
  await db.transaction(async (tx) => {
    const held = await findHoldOnChat(tx, viewer, chatId)
    if (!(await deleteChatRow(tx, viewer, chatId))) throw new AppError('not-found')
    if (held) throw held
    await audit(tx, { actor: viewer, event: 'chat.deleted', objectId: chatId })
  })
  for (const { id, status } of streaming) if (status === 'streaming') abortGeneration(id)
}
