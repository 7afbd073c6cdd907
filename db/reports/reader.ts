import type { Reader as Person } from '#lib/shared/viewer.ts'
import { type Db, database } from '../client.ts'
import { readAs } from '../visibility.ts'

/** What a report needs of a database: it can ask, it cannot change anything. */
export type Reader = Pick<Db, 'select' | 'selectDistinct'>

/** The process's database for pages, which read through reports and write through `lib`. */
export const reader = (): Reader => database().db

/** For reports about documents: reads on somebody's behalf, on a server with row-level security behind the filter; see `readAs`. */
export const readFor = <Viewer extends Person, Result>(
  viewer: Viewer,
  work: (db: Reader, viewer: Viewer) => Promise<Result>,
): Promise<Result> => readAs(database(), viewer, work)
