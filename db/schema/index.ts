export * from './conversation.ts'
export * from './gateway.ts'
export * from './knowledge.ts'
export * from './people.ts'
