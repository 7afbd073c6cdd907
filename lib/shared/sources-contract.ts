/**
 * Sources: places that documents are fetched from again and again. What each kind of place needs to know, what the screen is told,
 * and how an item is named. A new kind is one entry in `sourceKinds`, its connector in `ingestion/sources/`, and one line in
 * `ingestion/sources/registry.ts`; the form on the Sources page is made from its schema.
 */
import { z } from 'zod'

const webAddress = z
  .url({ protocol: /^https?$/, error: 'Type a whole web address. It should begin with https://.' })
  .max(2_000)
const local = z.boolean().default(false).meta({
  title: 'Stands in our own network',
  description: 'Allows addresses on this machine and in private networks, and ports other than 80 and 443.',
})
const pattern = z.string().trim().min(1).max(200)
const include = z
  .array(pattern)
  .max(50)
  .default([])
  .meta({ title: 'Only these', description: 'One pattern a line, as docs/** or **/*.md. Empty: all.' })
const exclude = z
  .array(pattern)
  .max(50)
  .default([])
  .meta({ title: 'But not these', description: 'One pattern a line. They win over the ones above.' })

/** What may be fetched from, by the name that is stored. Titles and descriptions of fields are what the form says. */
export const sourceKinds = {
  sitemap: {
    title: 'Website',
    note: 'Every page that its sitemap lists',
    configSchema: z.strictObject({
      url: webAddress.meta({
        title: 'Address of the sitemap',
        description:
          'Often https://docs.example.com/sitemap.xml. An index of sitemaps works, and so does a compressed one.',
      }),
      include: include.meta({ title: 'Only these paths', description: 'One pattern a line, as /docs/**. Empty: all.' }),
      exclude: exclude.meta({ title: 'But not these paths', description: 'They win over the ones above.' }),
      pagesMax: z
        .int()
        .min(1)
        .max(5_000)
        .default(500)
        .meta({ title: 'Pages at most', description: 'The first ones count. About one a second is read.' }),
      local,
    }),
  },
  url: {
    title: 'Web page',
    note: 'One page or file on the web',
    configSchema: z.strictObject({ url: webAddress.meta({ title: 'Address' }), local }),
  },
  git: {
    title: 'Git repository',
    note: 'The files of a branch, over https',
    configSchema: z.strictObject({
      url: webAddress.meta({
        title: 'Address',
        description: 'As for git clone: https://github.com/owner/name. It must be readable without signing in.',
      }),
      branch: z
        .string()
        .trim()
        .max(200)
        .regex(/^[^\s~^:?*[\\]*$/, 'That is no name of a branch.')
        .default('')
        .meta({ title: 'Branch', description: 'Empty: the main one.' }),
      include,
      exclude,
      local,
    }),
  },
  folder: {
    title: 'Folder on the server',
    note: 'Files on the machine that Footnote runs on',
    configSchema: z.strictObject({
      path: z.string().trim().min(1, 'Type the whole path of the folder.').max(1_000).meta({
        title: 'Folder',
        description: 'Its whole path. It must lie in a folder that the operator has opened with SOURCE_ROOTS.',
      }),
      include,
      exclude,
    }),
  },
} as const satisfies Record<string, { title: string; note: string; configSchema: z.ZodObject }>

export type SourceKind = keyof typeof sourceKinds
export type SourceConfig<Kind extends SourceKind> = z.output<(typeof sourceKinds)[Kind]['configSchema']>

export const isSourceKind = (kind: string): kind is SourceKind => Object.hasOwn(sourceKinds, kind)

/** The settings of a source as its kind wants them, or what is wrong with which, in words. */
export const readSourceConfig = <Kind extends SourceKind>(
  kind: Kind,
  config: unknown,
): { config: SourceConfig<Kind> } | { fault: string } => {
  const { configSchema } = sourceKinds[kind]
  const read = configSchema.safeParse(config)
  if (read.success) return { config: read.data as SourceConfig<Kind> }
  const [issue] = read.error.issues
  const name = String(issue?.path[0] ?? '')
  const field = Object.hasOwn(configSchema.shape, name)
    ? configSchema.shape[name as keyof typeof configSchema.shape]
    : null
  const title = (field as z.ZodType | null)?.meta()?.title ?? name
  return { fault: `${title}: ${issue?.message ?? 'This cannot be used.'}` }
}

/** A field of the form of a kind; `lines` is a list with one entry a line. */
export type SourceField = {
  name: string
  label: string
  hint: string | null
  shape: 'text' | 'address' | 'number' | 'lines' | 'tick'
  initial: unknown
}
export type SourceForm = { kind: SourceKind; title: string; note: string; fields: SourceField[] }

const shapeOf = ({ type, format }: { type?: unknown; format?: unknown }): SourceField['shape'] => {
  if (type === 'boolean') return 'tick'
  if (type === 'array') return 'lines'
  if (type === 'integer' || type === 'number') return 'number'
  return format === 'uri' ? 'address' : 'text'
}

/** The forms of all kinds, read from their schemas. */
export const sourceForms = (): SourceForm[] =>
  Object.entries(sourceKinds).map(([kind, { title, note, configSchema }]) => ({
    kind: kind as SourceKind,
    title,
    note,
    fields: Object.entries(z.toJSONSchema(configSchema, { io: 'input' }).properties ?? {}).flatMap(([name, field]) =>
      typeof field === 'boolean'
        ? []
        : {
            name,
            label: field.title ?? name,
            hint: field.description ?? null,
            shape: shapeOf(field),
            initial: field.default ?? '',
          },
    ),
  }))

/** Why an address is not called, as far as it can be seen without asking for names; null when nothing speaks against it. */
export const portFault = (url: URL, isLocal: boolean): string | null =>
  isLocal || ['', '80', '443'].includes(url.port)
    ? null
    : `Port ${url.port} is only called on machines of our own network. Take it out, or mark the source as standing there.`

/** A refusal of an address, as it is said of a source; the words are those for models' providers. */
export const refusalOfSource = (words: string): string =>
  words.replace('the provider is marked as local', 'the source is marked as standing in our own network')

export const sourceStates = ['idle', 'queued', 'running', 'failed'] as const
export type SourceState = (typeof sourceStates)[number]

/** What one run over a source did, in documents. */
export type SourceTally = {
  added: number
  changed: number
  unchanged: number
  deleted: number
  failed: number
  /** No longer there, but so many that a person has to say so before they are deleted. */
  gone: number
}

export const schedules = [
  [null, 'Only when asked'],
  [60, 'Every hour'],
  [360, 'Every 6 hours'],
  [1_440, 'Every day'],
  [10_080, 'Every week'],
] as const satisfies readonly (readonly [number | null, string])[]

export type SourceRow = {
  id: string
  name: string
  kind: string
  config: Record<string, unknown>
  collection: string
  everyMinutes: number | null
  state: SourceState
  /** Items looked at; `total` is 0 while it is not known how many there are. */
  progress: { done: number; total: number }
  /** Why the last run failed, or what should be known of it. */
  failure: string | null
  tally: SourceTally | null
  lastEndedAt: string | null
  nextRunAt: string | null
  documents: number
  failures: { uri: string; reason: string }[]
  failuresTotal: number
  /** On whose behalf it runs; null when that person is gone. */
  maker: string | null
}

/** What the Sources page shows, and what it asks for again while something runs. */
export type SourceData = { sources: SourceRow[]; collections: { id: string; name: string }[] }

// Shapes and sizes only: what a value may be is said in words by the server, which a schema's refusal is not.
const short = z.string().max(200)

/** A new source, or with an `id` the changes of one; its kind and collection stay as they were made. */
export const sourceInputSchema = z.strictObject({
  id: z.uuid().nullable(),
  kind: short,
  name: short,
  /** A collection's id, or the name of a new one. */
  collection: z.union([z.strictObject({ id: z.uuid() }), z.strictObject({ name: short })]),
  config: z.record(short, z.unknown()),
  /** Null: only when somebody asks for it. */
  everyMinutes: z.number().nullable(),
})
export type SourceInput = z.input<typeof sourceInputSchema>

/** What brought a file, for the document that is made of it. */
export type DocumentOrigin = {
  sourceId: string
  /** Its address at the source. */
  sourceUri: string
  /** The document that it is a new version of; null: it becomes a new one. */
  documentId: string | null
  /** Taken in their order when its own name belongs to another document. */
  otherNames: readonly string[]
}

/** FNV-1a: tells names apart, and protects nothing. */
const shortHash = (text: string): string => {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return (hash >>> 0).toString(36)
}

/**
 * Names for an item when others have its own: with the folders it lies in, then with a number made of its address. The same for
 * the same address, always.
 */
export const otherNamesOf = (itemName: string, uri: string): string[] => {
  const [, stem = itemName, extension = ''] = /^(.+?)(\.[^.]{1,10})?$/.exec(itemName) ?? []
  const parents = uri
    .replace(/^\w+:\/\//, '')
    .replace(/[?#].*$/, '')
    .split(/[\\/]/)
    .slice(0, -1)
    .filter(Boolean)
    .slice(-3)
    .join('-')
    .slice(-100)
  return [...(parents ? [`${stem} (${parents})${extension}`] : []), `${stem} (${shortHash(uri)})${extension}`]
}
