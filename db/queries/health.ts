import { sql } from 'drizzle-orm'
import type { Executor } from '../client.ts'

export const pingDatabase = async (db: Executor): Promise<void> => {
  await db.execute(sql`select 1`)
}
