/** A database of its own on a server, dropped when it is closed. */
import { sql } from 'drizzle-orm'
import type { Database } from '#db/client.ts'
import { openServerDatabase } from '#db/open.ts'
import { newId } from '#lib/shared/ids.ts'

export const openScratchServer = async (url: string): Promise<Database> => {
  const admin = await openServerDatabase(url)
  const name = `footnote_bench_${newId().replaceAll('-', '')}`
  await admin.db.execute(sql`create database ${sql.identifier(name)}`)
  const own = new URL(url)
  own.pathname = `/${name}`
  const opened = await openServerDatabase(own.href)
  return {
    ...opened,
    close: async () => {
      await opened.close()
      await admin.db.execute(sql`drop database ${sql.identifier(name)} with (force)`)
      await admin.close()
    },
  }
}
