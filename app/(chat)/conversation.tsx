import { ChatScreen } from '#components/chat/chat-screen.tsx'
import { NewChat } from '#components/chat/new-chat.tsx'
import { ShellMenuButton } from '#components/shell/shell.tsx'
import { describeKnowledge, listChats, listScopeFacets, type loadChat, openSummary } from '#lib/chat/index.ts'
import { changesDocuments } from '#lib/documents.ts'
import { feedbackOf, hasReviewer } from '#lib/review/index.ts'
import { can, type Viewer } from '#lib/shared/viewer.ts'
import { aboutAnswers } from './about-answers.ts'
import { askPersonAction, giveFeedbackAction, summariseChatAction, summariseSelectionAction } from './actions.ts'

/** One conversation with what the viewer may know about it; `chat` is null for one that has not begun. */
export const Conversation = async ({
  viewer,
  chatId,
  chat,
}: {
  viewer: Viewer
  chatId: string
  chat: Awaited<ReturnType<typeof loadChat>>
}) => {
  const [{ documents, collections, suggestions }, facets, canAskPerson] = await Promise.all([
    describeKnowledge(viewer),
    listScopeFacets(viewer),
    hasReviewer(viewer),
  ])
  const about = await aboutAnswers(viewer)
  const shared = {
    chatId,
    suggestions,
    knowledge: { documents, collections, facets },
    canSeeCosts: can(viewer, 'trace.read'),
    canSeeTraces: can(viewer, 'trace.read'),
    canUpload: await changesDocuments(viewer),
    ...about,
    // Who has asked something has seen what is said before the first question.
    firstUse: !chat && (await listChats(viewer)).length === 0,
    viewerId: viewer.userId,
    viewerName: viewer.name,
    menu: <ShellMenuButton />,
    canAskPerson,
    feedbackActions: { giveFeedback: giveFeedbackAction, askPerson: askPersonAction },
    summaryActions: { summariseChat: summariseChatAction, summariseSelection: summariseSelectionAction },
  }
  if (!chat) return <NewChat {...shared} />
  return (
    <ChatScreen
      key={chatId}
      {...shared}
      title={chat.title}
      initialMessages={chat.messages}
      resume={chat.streaming}
      openSummary={await openSummary(viewer, chatId)}
      feedback={
        await feedbackOf(
          viewer,
          chat.messages.flatMap(({ id, role }) => (role === 'assistant' ? [id] : [])),
        )
      }
    />
  )
}
