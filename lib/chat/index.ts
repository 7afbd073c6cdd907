/**
 * A turn of conversation, from a question to a stored answer whose claims cite passages.
 *
 * Guarantees: a question that was accepted is stored before anything else happens; sending it twice is one message; its answer
 * reaches exactly one end (complete, held, no-source, stopped, failed, interrupted) and is stored with it; what is held leaves no trace
 * of its text outside its review before a person has decided; no model is called without
 * evidence; what is shown was checked against the passages. It does not decide who may ask: the doors do.
 */
export { followDecisions } from './decisions.ts'
export { eventStreamResponse } from './event-stream.ts'
export { type ChatChunk, drainGenerations } from './generation.ts'
export { deleteChat, listChats, loadChat, renameChat } from './history.ts'
export { describeKnowledge, listScopeFacets } from './knowledge.ts'
export { recoverAnswers, respond, resume, stop } from './respond.ts'
export { openSummary, summariseChat, summariseSelection, summaryRun } from './summarise.ts'
