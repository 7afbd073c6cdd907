/** The product's way to a model as one function, for benchmarks: the one place that knows how the gateway is opened and called. */
import { type Database, holdDatabase } from '#db/client.ts'
import { openMemoryDatabase, openServerDatabase } from '#db/open.ts'
import { createWorkspace, getSignInAccount, upsertAccount } from '#db/queries/people.ts'
import { gatewaySettings } from '#db/schema/index.ts'
import { streamAnswer } from '#lib/gateway/index.ts'
import type { GatewaySettingsInput } from '#lib/shared/gateway-settings.ts'
import { newId } from '#lib/shared/ids.ts'

export type OpenedGateway = {
  /** The text of an answer as it comes, through every policy of the gateway. */
  answer(question: string, signal: AbortSignal): AsyncGenerator<string>
}

/** Every policy on: budgets that count, masking, limits of tokens; no cache, which would answer instead of a model. */
const settings: GatewaySettingsInput = {
  budgets: { userDayMicros: 1e15, workspaceDayMicros: 1e15, workspaceMonthMicros: 1e15, workspaceMinuteMicros: 1e15 },
  tokenLimits: { userMinute: 2_000_000_000, workspaceMinute: 2_000_000_000 },
  cache: { exact: false, semantic: false },
}

const passage = {
  n: 1,
  title: 'Handbook',
  headingPath: ['Leave'],
  page: 3,
  context: '',
  text: 'Every employee gets 25 days of annual leave, of which five may be carried over. Ask hr@example.com or +43 316 555 0123. '.repeat(
    10,
  ),
}

/** A scratch database with one person, and the provider that the environment names; `BENCH_DATABASE_URL` takes a server instead of memory. */
export const openGateway = async (): Promise<OpenedGateway> => {
  const url = process.env.BENCH_DATABASE_URL
  const { db }: Database = holdDatabase(url ? await openServerDatabase(url) : await openMemoryDatabase())
  const workspaceId = newId()
  const email = `bench-${workspaceId}@bench.local`
  await createWorkspace(db, { id: workspaceId, name: `Bench ${workspaceId}` })
  await upsertAccount(db, { userId: newId(), workspaceId, role: 'member', name: 'Bench', email, passwordHash: 'none' })
  const account = await getSignInAccount(db, email)
  if (!account) throw new Error('the account was not made')
  const { passwordHash: _, ...viewer } = account
  await db.insert(gatewaySettings).values({ workspaceId, settings })
  return {
    answer: async function* (question, signal) {
      const events = streamAnswer(
        { question, history: [], passages: [passage] },
        { viewer, feature: 'bench', signal },
        () => undefined,
      )
      let kind: string | undefined
      for await (const event of events) {
        if (event.type === 'text') yield event.text
        if (event.type === 'end') kind = event.model.kind
      }
      // The built-in answerer would be quick, and would not be what is measured.
      if (kind !== 'provider') throw new Error('the provider did not answer')
    },
  }
}
