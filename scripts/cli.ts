/**
 * The command line: `ask`, `search`, `ingest`, `eval:retrieval`, `eval:citations`. With `--json` the last line of standard output is
 * one object; progress goes to standard error. Exit status: 0 done, 1 a check failed, 2 wrong use.
 */
import './env-file.ts'
import { existsSync } from 'node:fs'
import { Argument, Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import { z } from 'zod'
import { DirectoryInUse, directoryOwner } from '#db/lock.ts'
import { env } from '#lib/env.ts'
import { roles } from '#lib/shared/viewer.ts'
import type { AccountOptions } from './command-account.ts'
import { type AskOptions, ask } from './command-ask.ts'
import type { AuditOptions } from './command-audit.ts'
import type { BackupOptions, RestoreOptions } from './command-backup.ts'
import type { EraseOptions } from './command-erase.ts'
import type { EvalCitationsOptions } from './command-eval-citations.ts'
import type { EvalRetrievalOptions } from './command-eval-retrieval.ts'
import type { ExplainOptions } from './command-explain.ts'
import { type IngestOptions, ingest } from './command-ingest.ts'
import { type SearchOptions, search } from './command-search.ts'
import { type Connection, Refused, WrongUse } from './connect.ts'
import { connectToServer } from './connect-server.ts'
import { getAddress } from './home.ts'

type AsUser = { user?: string }

const ownerStartMs = 30_000

/** The address of the server that owns DATA_DIR; one that starts is waited for. Null when nobody does. */
const serverAddress = async (): Promise<string | null> => {
  const { databaseUrl, dataDir } = env()
  if (databaseUrl) return null
  const deadlineMs = performance.now() + ownerStartMs
  while ((await directoryOwner(dataDir)) !== null) {
    const address = await getAddress(env())
    if (address || performance.now() > deadlineMs) return address
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
  return null
}

const connect = async ({ user }: AsUser): Promise<Connection> => {
  const email = user ?? (env().demo ? 'admin@demo.local' : undefined)
  if (!email) throw new WrongUse('name the account to work as: --user EMAIL')
  const address = await serverAddress()
  if (address) return connectToServer(address, email)
  const { connectToOwn } = await import('./connect-own.ts')
  return connectToOwn(email)
}

/** Runs a command over a connection and closes it, whatever happens. */
const over = async (options: AsUser, work: (connection: Connection) => Promise<number>): Promise<void> => {
  const connection = await connect(options)
  try {
    process.exitCode = await work(connection)
  } finally {
    await connection.close()
  }
}

const wholeNumber =
  (max: number) =>
  (text: string): number => {
    const value = Number(text)
    if (!Number.isInteger(value) || value < 1 || value > max)
      throw new InvalidArgumentError(`A whole number from 1 to ${max}.`)
    return value
  }
const searches = ['lexical', 'vector', 'hybrid', 'hybrid+rerank']
const userOption = (): Option => new Option('--user <email>', 'the account to work as (default: the demo admin)')

const program = new Command('footnote')
  .description('Footnote on the command line')
  .exitOverride()
  .showHelpAfterError()
  .configureHelp({ showGlobalOptions: true })

program
  .command('ask')
  .argument('<question>')
  .addOption(userOption())
  .option('--collection <name>', 'ask only the documents of this collection')
  .option('--json', 'print one JSON object as the last line')
  .description('ask a question; the answer streams to the terminal with its sources')
  .action((question: string, options: AskOptions & AsUser) =>
    over(options, (connection) => ask(connection, question, options)),
  )

program
  .command('search')
  .argument('<query>')
  .addOption(userOption())
  .addOption(new Option('--legs <legs>', 'which searches to use').choices(searches).default('hybrid+rerank'))
  .option('--k <number>', 'passages at most', wholeNumber(100), 10)
  .option('--json', 'print one JSON object as the last line')
  .description('retrieval alone: the passages that a question would be answered from')
  .action((query: string, options: SearchOptions & AsUser) =>
    over(options, (connection) => search(connection, query, options)),
  )

program
  .command('ingest')
  .argument('<paths...>')
  .addOption(userOption())
  .option('--collection <name>', 'the collection to put them in; made when it is not there')
  .option('--watch', 'stay, and follow changes of the files')
  .option('--json', 'print one JSON object as the last line')
  .description('upload files and folders, and wait until each is ready or has failed')
  .action((paths: string[], options: IngestOptions & AsUser) => {
    const missing = paths.find((path) => !existsSync(path))
    if (missing !== undefined) throw new WrongUse(`there is no file or folder ${missing}`)
    return over(options, (connection) => ingest(connection, paths, options))
  })

program
  .command('explain')
  .argument('<message-id>', 'the id of an answer, or of its question')
  .addOption(userOption())
  .option('--json', 'print one JSON object as the last line')
  .description('why an answer says what it says: what was searched, read and left out, by what, and what it cost')
  .action((messageId: string, options: ExplainOptions & AsUser) => {
    if (!z.uuid().safeParse(messageId).success) throw new WrongUse(`${messageId} is no id of an answer`)
    return over(options, async (connection) => {
      const { explain } = await import('./command-explain.ts')
      return explain(connection, messageId, options)
    })
  })

program
  .command('audit')
  .addArgument(new Argument('<what>').choices(['verify']))
  .addOption(userOption())
  .option('--workspace <name>', 'only this one')
  .option('--head <place:hash>', 'a head that was printed earlier and kept elsewhere')
  .option('--json', 'print one JSON object as the last line')
  .description('walk the chains of the audit log, name the first line that does not fit, print each head')
  .action(async (_: 'verify', options: AuditOptions & AsUser) => {
    const { verifyAudit } = await import('./command-audit.ts')
    if (await serverAddress()) return over(options, (connection) => verifyAudit(options, connection))
    process.exitCode = await verifyAudit(options, null)
  })

program
  .command('eval:retrieval')
  .argument('<folder>', 'corpus.jsonl, queries.jsonl and qrels.tsv')
  .addOption(new Option('--legs <legs>', 'what is measured').choices([...searches, 'all']).default('hybrid+rerank'))
  .option('--embedder <name>', 'an encoder in MODELS_DIR')
  .option('--questions <folder>', 'asks the questions of another folder of this layout')
  .option('--limit <number>', 'queries at most', wholeNumber(1_000_000))
  .option('--json', 'print one JSON object as the last line')
  .description('retrieval quality on a data set, in a scratch database')
  .action(async (folder: string, options: EvalRetrievalOptions) => {
    const { evalRetrieval } = await import('./command-eval-retrieval.ts')
    process.exitCode = await evalRetrieval(folder, options)
  })

program
  .command('eval:citations')
  .argument('<folder>', 'judged claims: scifact-evidence.jsonl, cmu-dog.tsv, topicalchat.tsv, wow.tsv')
  .option('--json', 'print one JSON object as the last line')
  .description('how right citations are, on judged claims and on the demo questions, in a scratch database')
  .action(async (folder: string, options: EvalCitationsOptions) => {
    const { evalCitations } = await import('./command-eval-citations.ts')
    process.exitCode = await evalCitations(folder, options)
  })

program
  .command('backup')
  .argument('<file>', 'a new file')
  .option('--json', 'print one JSON object as the last line')
  .description('everything in one file: tables and files of documents; while no server owns the embedded database')
  .action(async (file: string, options: BackupOptions) => {
    const { backup } = await import('./command-backup.ts')
    process.exitCode = await backup(file, options)
  })

program
  .command('restore')
  .argument('<file>', 'a backup of this release or an older one')
  .option('--erasures <file>', 'erasures.jsonl of the instance that the backup was made by')
  .option('--json', 'print one JSON object as the last line')
  .description('a backup into an empty instance; every part is checked before anything is written')
  .action(async (file: string, options: RestoreOptions) => {
    const { restore } = await import('./command-backup.ts')
    process.exitCode = await restore(file, options)
  })

program
  .command('erase')
  .addArgument(new Argument('<kind>').choices(['person', 'document']))
  .argument('<name>', 'the e-mail address or id of a person, or the id of a document')
  .option('--yes', 'without it, only what would go is shown')
  .option('--json', 'print one JSON object as the last line')
  .description('a person or a document for good, in all workspaces; while no server owns the embedded database')
  .action(async (kind: 'person' | 'document', name: string, options: EraseOptions) => {
    const { erase } = await import('./command-erase.ts')
    process.exitCode = await erase(kind, name, options)
  })

program
  .command('account')
  .argument('<email>')
  .addOption(new Option('--role <role>', 'what a new account may do').choices(roles).default('member'))
  .option('--name <name>', 'how the person is called')
  .description('make an account, or give a known one a new password; while no server owns the data')
  .action(async (email: string, options: AccountOptions) => {
    if (!z.email().safeParse(email.trim()).success) throw new WrongUse(`${email} is no e-mail address`)
    const { account } = await import('./command-account.ts')
    process.exitCode = await account(email, options)
  })

try {
  await program.parseAsync()
} catch (error) {
  if (error instanceof CommanderError) {
    // Commander has printed its words already.
    process.exitCode = error.exitCode === 0 ? 0 : 2
  } else if (error instanceof WrongUse) {
    process.stderr.write(`error: ${error.message}\n\n${program.helpInformation()}`)
    process.exitCode = 2
  } else {
    const words =
      error instanceof Refused || error instanceof DirectoryInUse
        ? error.message
        : String((error as Error)?.stack ?? error)
    process.stderr.write(`${words}\n`)
    process.exitCode = 1
  }
}
