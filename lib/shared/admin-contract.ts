/** The wire of the admin screens: documents, their progress and failures; traces and their spans. */

export const stages = [
  'queued',
  'scanning',
  'parsing',
  'recognising',
  'chunking',
  'embedding',
  'ready',
  'failed',
] as const
export type Stage = (typeof stages)[number]

/** What may be uploaded; the browser says so before it sends, the server decides. */
export const uploadBytesMax = 50 * 1_048_576
export const uploadExtensions = [
  ...['pdf', 'docx', 'pptx', 'xlsx', 'odt', 'epub', 'rtf', 'eml', 'mbox'],
  ...['md', 'markdown', 'html', 'htm', 'txt', 'log', 'csv', 'tsv', 'json', 'jsonl', 'ndjson', 'xml'],
  ...['png', 'jpg', 'jpeg', 'webp'],
  ...['py', 'js', 'mjs', 'cjs', 'jsx', 'ts', 'mts', 'cts', 'tsx', 'java', 'kt', 'scala', 'go', 'rs', 'c', 'h', 'cc'],
  ...['cpp', 'hpp', 'cs', 'swift', 'rb', 'php', 'sh', 'bash', 'ps1', 'sql', 'r', 'lua', 'pl', 'css', 'scss', 'vue'],
  ...['svelte', 'yaml', 'yml', 'toml', 'ini', 'tf', 'proto', 'graphql'],
] as const

/** Why a document could not be read, in words, and the act that mends it. Codes are stable; words may improve. */
export const ingestFailures = {
  empty: { reason: 'The file is empty', act: 'Upload a file with content.' },
  'no-text': {
    reason: 'No text was found in the file',
    act: 'Check that the file opens elsewhere and has text in it.',
  },
  'image-only': {
    reason: 'The pages are pictures without text',
    act: 'Run text recognition (OCR) on it and upload the result.',
  },
  encrypted: { reason: 'The file is protected by a password', act: 'Save it without a password and upload it again.' },
  damaged: { reason: 'The file is damaged or cut short', act: 'Open and save it again, or get a fresh copy.' },
  'wrong-type': {
    reason: 'The content does not match the file name',
    act: 'Give it the right extension, or export it again.',
  },
  unsupported: {
    reason: 'This type of file is not read yet',
    act: 'Save old Office files (.doc, .xls, .ppt) as .docx, .xlsx or .pptx, mail from Outlook (.msg) as .eml, and anything else as PDF.',
  },
  'too-large': { reason: 'The file is too large', act: 'Split it into files of at most 50 MB.' },
  'too-many-pages': { reason: 'The file has more than 5,000 pages', act: 'Split it into parts.' },
  'too-much-text': {
    reason: 'The file holds more text than can be indexed',
    act: 'Split it into parts of at most 20 million characters.',
  },
  'unpacks-too-large': {
    reason: 'The file unpacks to far more than its size',
    act: 'Save it again from its original program; archives like this are refused.',
  },
  'too-nested': {
    reason: 'The file is nested deeper than any document',
    act: 'Export it again with a simpler structure.',
  },
  infected: {
    reason: 'A virus was found in the file; the audit log names it',
    act: 'Delete it here, and tell who gave you the file. After a false alarm: have the scanner updated, and try again.',
  },
  'not-scanned': {
    reason: 'The virus scanner could not be asked, so the file was not read',
    act: 'Ask who runs Footnote to look after the scanner (clamd), and try again.',
  },
  'too-large-to-scan': {
    reason: 'The file is too large for the virus scanner, so it was not read',
    act: 'Split it, or have clamd take files of 50 MB (StreamMaxLength, MaxFileSize), and try again.',
  },
  timeout: { reason: 'Reading the file took too long', act: 'Split it, or simplify it, and try again.' },
  memory: { reason: 'Reading the file needed too much memory', act: 'Split it, or simplify it, and try again.' },
  crashed: {
    reason: 'The reader stopped while reading the file',
    act: 'Try again; if it goes on, report the file type.',
  },
  'embedding-failed': {
    reason: 'The passages could not be indexed',
    act: 'Try again; if it goes on, check the encoder under Health.',
  },
  internal: {
    reason: 'Something went wrong on our side',
    act: 'Try again; if it goes on, report the number in the log.',
  },
} as const
export type IngestFailureCode = keyof typeof ingestFailures

export const tagsMax = 20
export const tagCharsMax = 60

/** Why there is a version: a new file, or the same file read or cut anew. */
type VersionCause = 'upload' | 'reindex' | 'recognition'

/** Why a newer version of a document is not there yet, or the state of its only version. */
export type DocumentRow = {
  id: string
  name: string
  collection: { id: string; name: string }
  mediaType: string
  bytes: number
  stage: Stage
  /** Real counts: pages while parsing, passages while embedding; null when the stage has none. */
  progress: { done: number; total: number; unit: 'pages' | 'passages' } | null
  failure: { code: IngestFailureCode; reason: string; act: string } | null
  /** Why its file cannot be downloaded, as a sentence; null when it can. */
  fileHeld: string | null
  /** True when an earlier version still answers questions while this one is worked on or has failed. */
  earlierVersionServes: boolean
  version: number
  versionId: string
  /** Why there is the newest version. */
  cause: VersionCause
  /** ISO 639-1; null when it cannot be told. This and what follows is of the version that answers, where there is one. */
  language: string | null
  author: string | null
  /** A day. */
  dated: string | null
  /** Given by people. */
  tags: string[]
  /** Taken from the text. */
  extractedTags: string[]
  /** Where it is fetched from; null when a person uploaded it. Its address is shown as a link only when it is one of the web. */
  source: { id: string; name: string; uri: string | null } | null
  /** The document that it was attached to. */
  parentId: string | null
  pages: number | null
  chunks: number | null
  chunksReused: number | null
  /** Made on request, by a model or without one. */
  description: { summary: string; tags: string[] } | null
  /** Parts of the text read so far, while the description is made. */
  describing: { done: number; total: number } | null
  citedBy: number
  changedAt: string
}

/** The answer of `POST /api/documents` for one file. */
export type UploadResult =
  | { outcome: 'created' | 'new-version'; document: DocumentRow }
  | { outcome: 'already-there'; document: DocumentRow }

export type TraceSummary = {
  id: string
  question: string
  user: string
  status: string
  model: string | null
  startedAt: string
  totalMs: number | null
  firstTokenMs: number | null
  tokensIn: number | null
  tokensOut: number | null
  costMicros: number | null
  chatId: string | null
  messageId: string | null
}

export type SpanStatus = 'ok' | 'failed' | 'refused' | 'skipped'

/** One step. `attributes` are what the detail pane shows; `startMs` counts from the start of the trace. */
export type Span = {
  id: string
  parentId: string | null
  name: string
  label: string
  startMs: number
  durationMs: number
  status: SpanStatus
  costMicros: number | null
  attributes: Record<string, unknown>
}

/** One line of the ledger: a try of a model, or the answer from a cache that saved it. Times in milliseconds, money in micro-dollars. */
export type TraceCall = {
  id: string
  at: string
  task: string
  feature: string
  tier: string | null
  route: string | null
  provider: string | null
  requestedModel: string | null
  servedModel: string | null
  fingerprint: string | null
  /** `ok`, `refused`, `stopped`, or the class of the failure. */
  outcome: string
  cache: string | null
  attempts: number
  tokensIn: number | null
  tokensOut: number | null
  tokensCached: number | null
  tokensReasoning: number | null
  usageEstimated: boolean
  costMicros: number | null
  savedMicros: number
  savedTokens: number
  flags: string[]
  firstTokenMs: number | null
  totalMs: number | null
  promptName: string | null
  promptVersion: string | null
  promptHash: string | null
  policyVersion: number | null
}

export type Trace = TraceSummary & {
  spans: Span[]
  calls: TraceCall[]
  /** The version of the workspace's rules that it was answered under; null for traces from before it was kept. */
  policyVersion: number | null
}

export const traceCacheKinds = ['any', 'exact', 'semantic', 'none'] as const
export type TraceCacheKind = (typeof traceCacheKinds)[number]

/** Which traces are looked for, beside the time; what is said of a call must all be true of one call of the trace. */
export type TraceFilter = {
  /** Found in questions and in names and addresses of people. */
  q?: string | undefined
  status?: string | undefined
  /** Asked for, or answered as. */
  model?: string | undefined
  task?: string | undefined
  tier?: string | undefined
  cache?: TraceCacheKind | undefined
  user?: string | undefined
  provider?: string | undefined
  route?: string | undefined
  outcome?: string | undefined
  feature?: string | undefined
  flag?: string | undefined
  fingerprint?: string | undefined
  /** The hash of a prompt, which names its words. */
  prompt?: string | undefined
  policy?: number | undefined
}

/** What a filter can be set to: what the workspace has used lately. */
export type TraceChoices = { models: string[]; tasks: string[]; tiers: string[]; users: { id: string; name: string }[] }
