import { type Db, database } from '../client.ts'

/** What a report needs of a database: it can ask, it cannot change anything. */
export type Reader = Pick<Db, 'select' | 'selectDistinct'>

/** The process's database for pages, which read through reports and write through `lib`. */
export const reader = (): Reader => database().db
