/**
 * What is kept, table by table: what for, how long, which columns are about people, and by which rows a person is found. The export
 * of one's own data is made from it, and tests hold it against the database: a table or a column without an entry fails them.
 */
import { type SQL, sql } from 'drizzle-orm'
import type { RetentionKind } from '#lib/shared/policy-contract.ts'

/** A kind of the policy's retention, or what else ends a row's time. */
type Kept =
  | RetentionKind
  /** With the account or the membership. */
  | 'account'
  /** With the document that it was made of. */
  | 'document'
  /** Until somebody in the workspace changes it. */
  | 'workspace'
  /** Proof of what was done, as long as the workspace. */
  | 'record'
  /** Goes by itself within days. */
  | 'passing'

type Columns = {
  /** Ids of people. */
  person?: string
  /** What people typed or what names them: names, addresses, questions, answers. */
  words?: string
  /** Text of documents, and settings of the workspace: somebody else's, not part of what a person takes along. */
  content?: string
  /** Keys, their hashes, and what would help to guess them: never handed out. */
  secret?: string
  other?: string
}

export type TableEntry = {
  purpose: string
  kept: Kept
  /** Names of columns with spaces between; every column stands in exactly one list. */
  columns: Columns
  /** The rows that are a person's, for a person's id; or why there are none to hand out. */
  ofPerson: ((person: SQL) => SQL) | string
  /** Whose the words are where a row is of several people: the others take it along without them. */
  wordsOf?: string
}

const entry = (
  purpose: string,
  kept: Kept,
  columns: Columns,
  ofPerson: TableEntry['ofPerson'] = 'It holds nothing about people.',
  rest: Pick<TableEntry, 'wordsOf'> = {},
): TableEntry => ({ purpose, kept, columns, ofPerson, ...rest })

const by =
  (...columns: string[]) =>
  (person: SQL): SQL =>
    sql.join(
      columns.map((column) => sql`${sql.identifier(column)} = ${person}`),
      sql` or `,
    )
const ofDocuments = 'It is text of documents; the files that a person uploaded are handed out themselves.'

export const inventory: Readonly<Record<string, TableEntry>> = {
  alerts: entry('Alert rules that were met', 'workspace', {
    other: 'id workspace_id rule started_at ended_at value detail delivered_at',
  }),
  answer_cache: entry(
    'Answers that may be given again',
    'passing',
    {
      words: 'question answer',
      content: 'citations embedding',
      other: 'id workspace_id recipe question_hash model tokens_in tokens_out cost_micros created_at expires_at',
    },
    'It names nobody; the same questions and answers are handed out with the conversations they come from.',
  ),
  answer_cache_observations: entry('How alike two questions with one answer were', 'passing', {
    other: 'id answer_id similarity same at',
  }),
  answer_cache_sources: entry('Documents that kept answers rest on', 'passing', { other: 'answer_id document_id' }),
  api_keys: entry(
    'Keys of programs',
    'account',
    {
      person: 'user_id',
      words: 'name',
      secret: 'hash',
      other: 'id workspace_id prefix scopes created_at expires_at last_used_at revoked_at',
    },
    by('user_id'),
  ),
  audit_heads: entry('The last link of each chain of the audit log', 'record', { other: 'chain place hash' }),
  audit_log: entry(
    'What was done, when and by whom',
    'audit',
    {
      person: 'actor_id',
      words: 'address',
      other: 'id at workspace_id event object_id details before_hash after_hash request_id place hash',
    },
    by('actor_id'),
  ),
  breakers: entry('Which providers are not asked at the moment', 'passing', {
    other: 'key state retry_at reason changed_at',
  }),
  budget_reservations: entry(
    'Money held while a call is under way',
    'passing',
    { person: 'scopes', other: 'id micros expires_at' },
    'It is gone within minutes, and what was spent stands with the calls.',
  ),
  budget_windows: entry(
    'What was spent in a day or month',
    'passing',
    { person: 'scope', other: 'window spent_micros reserved_micros resets_at' },
    (person) => sql`scope = 'user:' || ${person}::text`,
  ),
  chats: entry(
    'Conversations',
    'chats',
    { person: 'user_id', words: 'title', other: 'id workspace_id created_at updated_at' },
    by('user_id'),
  ),
  chunk_vectors: entry(
    'What passages mean, as numbers',
    'document',
    { content: 'embedding', other: 'chunk_id model workspace_id document_id version_id' },
    ofDocuments,
  ),
  chunks: entry(
    'Passages of documents',
    'document',
    {
      content: 'text heading_path context',
      other:
        'id workspace_id document_id version_id ordinal char_start char_end page_from page_to tokens content_hash injection_score language flags',
    },
    ofDocuments,
  ),
  citations: entry(
    'What answers rest on',
    'chats',
    {
      words: 'claim',
      content: 'quote rects heading_path',
      other:
        'message_id ordinal n document_id version_id chunk_id title collection media_type page pages char_start char_end supported',
    },
    (person) =>
      sql`message_id in (select m.id from messages m join chats c on c.id = m.chat_id where c.user_id = ${person})`,
  ),
  collection_grants: entry(
    'Who may read what',
    'workspace',
    { person: 'subject_id created_by', other: 'id workspace_id collection_id subject level created_at' },
    by('subject_id', 'created_by'),
  ),
  collections: entry('Folders of documents', 'workspace', { other: 'id workspace_id name created_at' }),
  confidence_fits: entry('How confidence was brought in line with decisions', 'workspace', {
    other: 'workspace_id version slope intercept decisions ece_before ece_after created_at',
  }),
  correction_sources: entry('Documents that corrections rest on', 'workspace', {
    other: 'correction_id kind document_id version_id',
  }),
  curated_answers: entry(
    'Answers that a person has checked',
    'workspace',
    {
      person: 'created_by',
      content: 'question embedding answer citations fell_because',
      other: 'id workspace_id item_id question_hash created_at fell_at',
    },
    'It is what the workspace says, not what a person said; the questions are handed out with their conversations.',
  ),
  document_notes: entry(
    'What reviewers say of documents',
    'document',
    {
      person: 'created_by resolved_by',
      words: 'text',
      content: 'quote',
      other: 'id workspace_id document_id version_id item_id created_at resolved_at',
    },
    by('created_by'),
  ),
  document_pages: entry(
    'Where text stands on pages',
    'document',
    { other: 'version_id page char_start char_end boxes' },
    ofDocuments,
  ),
  document_versions: entry(
    'Files as they were uploaded and read',
    'document',
    {
      content: 'text title summary tags author',
      other:
        'id document_id number content_hash blob_key bytes stage progress_done progress_total failure_code attempt pages chunks chunks_reused created_at published_at described_done described_total cause language dated chunker picture_pages graph_state',
    },
    (person) => sql`document_id in (select id from documents where created_by = ${person})`,
  ),
  documents: entry(
    'Documents',
    'document',
    {
      person: 'created_by',
      words: 'name tags source_uri',
      other:
        'id workspace_id collection_id media_type published_version_id latest_version_id created_at updated_at parent_id source_id',
    },
    by('created_by'),
  ),
  embedding_indexes: entry('Which encoder documents are searched with', 'workspace', {
    other: 'id workspace_id name model dimensions state step progress_done progress_total failure created_at served_at',
  }),
  entities: entry(
    'Things that documents speak of',
    'document',
    { content: 'name', other: 'id workspace_id kind' },
    ofDocuments,
  ),
  entity_aliases: entry(
    'What those things are called',
    'document',
    { content: 'alias', other: 'workspace_id entity_id' },
    ofDocuments,
  ),
  entity_mentions: entry('Where they are spoken of', 'document', { other: 'entity_id chunk_id char_start char_end' }),
  entity_relations: entry(
    'How they stand to each other',
    'document',
    { content: 'predicate', other: 'id workspace_id from_id to_id chunk_id' },
    ofDocuments,
  ),
  erasures: entry(
    'What was erased, by id alone, so that a restored backup forgets it again',
    'record',
    { person: 'object_id requested_by', other: 'id workspace_id kind requested_at done_at report' },
    by('object_id', 'requested_by'),
  ),
  feedback: entry(
    'What people think of answers',
    'chats',
    {
      person: 'user_id',
      words: 'comment reasons',
      other: 'id workspace_id message_id trace_id value created_at updated_at',
    },
    by('user_id'),
  ),
  gateway_settings: entry('The rules in force', 'workspace', {
    content: 'settings',
    other: 'workspace_id version updated_at',
  }),
  golden_questions: entry(
    'Questions with what should be found for them',
    'workspace',
    {
      person: 'created_by',
      words: 'question',
      content: 'expected answer fell_because',
      other: 'id workspace_id item_id created_at fell_at',
    },
    by('created_by'),
  ),
  group_members: entry(
    'Who is in which group',
    'account',
    { person: 'user_id', other: 'group_id via created_at' },
    by('user_id'),
  ),
  groups: entry('Groups of people', 'workspace', { other: 'id workspace_id name claim claim_role created_at' }),
  idempotent_results: entry(
    'What a request was answered with, so that its repetition does nothing twice',
    'passing',
    { person: 'user_id', words: 'result', secret: 'key request_hash', other: 'workspace_id created_at' },
    by('user_id'),
  ),
  identities: entry(
    'Accounts at sign-in providers',
    'account',
    { person: 'user_id subject', other: 'issuer created_at last_used_at' },
    by('user_id'),
  ),
  incident_switches: entry(
    'What was switched off in an emergency',
    'record',
    {
      person: 'target_id thrown_by lifted_by',
      words: 'label reason',
      other: 'id workspace_id kind thrown_at lifted_at',
    },
    (person) => sql`target_id = ${person}::text or thrown_by = ${person} or lifted_by = ${person}`,
  ),
  invitations: entry(
    'Ways into a workspace',
    'account',
    {
      person: 'invited_by',
      words: 'email mail_failure',
      secret: 'token_hash',
      other: 'id workspace_id role group_ids created_at expires_at accepted_at revoked_at',
    },
    // Whom a person invited is about others.
    (person) => sql`email = (select u.email from users u where u.id = ${person})`,
  ),
  label_items: entry(
    'Answers that are labelled by two people',
    'chats',
    {
      person: 'adjudicated_by created_by',
      other: 'message_id workspace_id rubric_version adjudicated adjudicated_at created_at',
    },
    by('adjudicated_by', 'created_by'),
  ),
  labels: entry(
    'What a rater says of an answer',
    'chats',
    { person: 'rater_id', words: 'note', other: 'message_id workspace_id scores created_at' },
    by('rater_id'),
  ),
  legal_holds: entry(
    'What must not be deleted',
    'record',
    { person: 'object_id created_by', words: 'label reason', other: 'id workspace_id kind created_at released_at' },
    // That a person is held may be for the workspace alone to know.
    by('created_by'),
  ),
  lexical_stats: entry('How many passages are searched', 'document', { other: 'workspace_id chunks languages' }),
  memberships: entry(
    'Who belongs to which workspace',
    'account',
    { person: 'user_id', other: 'workspace_id role created_at suspended_at' },
    by('user_id'),
  ),
  messages: entry(
    'Questions and answers',
    'chats',
    {
      words: 'text metadata',
      other: 'id chat_id role status question_id superseded_at stop_requested_at beat_at created_at',
    },
    (person) => sql`chat_id in (select id from chats where user_id = ${person})`,
  ),
  model_calls: entry(
    'What was asked of models, and what it cost',
    'calls',
    {
      person: 'user_id',
      other:
        'id at workspace_id chat_id message_id trace_id task feature tier route provider requested_model served_model fingerprint outcome cache attempts tokens_in tokens_out tokens_cached tokens_reasoning usage_estimated cost_micros saved_micros saved_tokens first_token_ms total_ms prompt_name prompt_version prompt_hash policy_version route_saved_micros context_saved_micros quality flags',
    },
    by('user_id'),
  ),
  model_canaries: entry('Whether models still do what they did', 'workspace', {
    other:
      'workspace_id key baseline_served baseline_fingerprint served_model fingerprint baseline_score score state detail checked_at changed_at',
  }),
  model_providers: entry('Where models are reached', 'workspace', {
    secret: 'sealed_key key_hint',
    other:
      'id workspace_id name kind base_url local enabled requests_per_minute tokens_per_minute created_at updated_at',
  }),
  models: entry('Models that may be asked', 'workspace', {
    other:
      'id workspace_id provider_id model_id tier position context_tokens_max input_micros_per_million output_micros_per_million cached_micros_per_million enabled created_at',
  }),
  notifications: entry(
    'What one person should know',
    'chats',
    { person: 'user_id', words: 'words', other: 'id workspace_id kind link created_at read_at' },
    by('user_id'),
  ),
  passage_labels: entry(
    'Whether a passage that was found helps',
    'chats',
    { person: 'rater_id', other: 'message_id chunk_id workspace_id rank relevant created_at' },
    by('rater_id'),
  ),
  passage_releases: entry(
    'Passages that a person has released for models',
    'workspace',
    { person: 'released_by', other: 'workspace_id content_hash at' },
    by('released_by'),
  ),
  policy_drafts: entry(
    'Changes of the rules that are thought about',
    'record',
    {
      person: 'created_by decided_by',
      words: 'reason',
      content: 'policy',
      other: 'id workspace_id based_on state created_at updated_at decided_at',
    },
    by('created_by', 'decided_by'),
  ),
  postings: entry(
    'Words of passages, for the search',
    'document',
    { content: 'term', other: 'chunk_id workspace_id weight' },
    ofDocuments,
  ),
  provider_batches: entry('Calls handed to a provider in bulk', 'workspace', {
    other: 'id workspace_id key external_id state requests reserved_micros detail created_at checked_at ended_at',
  }),
  rate_limits: entry(
    'How often somebody did something just now',
    'passing',
    { person: 'key', other: 'points resets_at' },
    'It is gone within minutes.',
  ),
  recognised_pages: entry(
    'Text read from pictures',
    'document',
    { content: 'words', other: 'workspace_id content_hash page confidence' },
    ofDocuments,
  ),
  review_comments: entry(
    'What reviewers say to each other of an answer',
    'chats',
    { person: 'author_id mentions', words: 'text', other: 'id workspace_id item_id created_at' },
    by('author_id'),
  ),
  review_drafts: entry(
    'What a reviewer is writing',
    'chats',
    { person: 'user_id', words: 'text note', other: 'item_id updated_at' },
    by('user_id'),
  ),
  review_items: entry(
    'Answers that a person is to look at, and what was decided',
    'record',
    {
      person: 'asker_id claimed_by assigned_to decided_by',
      words: 'question reasons',
      // What is held is nobody's to take along before it is decided, and afterwards it stands in the conversation.
      content: 'content decision',
      other:
        'id workspace_id kind message_id chat_id trace_id content_hash reason risk confidence collection_ids held seeded state due_at expires_at lease_until escalated_at policy_version created_at decided_at',
    },
    by('asker_id', 'decided_by'),
    { wordsOf: 'asker_id' },
  ),
  rubrics: entry(
    'What answers are labelled by',
    'workspace',
    { person: 'created_by', content: 'rubric', other: 'workspace_id version created_at' },
    by('created_by'),
  ),
  sessions: entry(
    'Who is signed in where',
    'sessions',
    {
      person: 'user_id',
      words: 'user_agent address',
      secret: 'id_hash',
      other: 'workspace_id created_at expires_at revoked_at last_seen_at',
    },
    by('user_id'),
  ),
  settings_versions: entry(
    'Every version that the rules have had',
    'record',
    { person: 'saved_by approved_by', words: 'reason', content: 'settings', other: 'workspace_id version at' },
    by('saved_by', 'approved_by'),
  ),
  single_use_tokens: entry(
    'Links that work once',
    'passing',
    { person: 'user_id', secret: 'hash', other: 'purpose created_at expires_at used_at' },
    by('user_id'),
  ),
  source_items: entry('What sources were seen to hold', 'document', {
    content: 'uri failure',
    other: 'source_id document_id fingerprint seen_attempt seen_at',
  }),
  sources: entry(
    'Places that documents are fetched from',
    'workspace',
    {
      person: 'created_by',
      words: 'name',
      content: 'config',
      other:
        'id workspace_id collection_id kind every_minutes state progress_done progress_total attempt failure tally last_started_at last_ended_at created_at',
    },
    by('created_by'),
  ),
  stream_events: entry(
    'An answer while it is written, for those who watch',
    'passing',
    { words: 'chunks', other: 'message_id seq' },
    'It is the text of an answer in pieces, and gone an hour after its end.',
  ),
  task_results: entry(
    'Results of tasks whose input fixes their output',
    'passing',
    { content: 'output', other: 'workspace_id task input_hash created_at' },
    'It names nobody, and a result is found only by its whole input.',
  ),
  task_runs: entry(
    'Work that a person asked for and waits for',
    'exports',
    {
      person: 'user_id',
      words: 'subject output',
      other: 'id workspace_id feature done total failure_code created_at ended_at',
    },
    by('user_id'),
  ),
  traces: entry(
    'What happened on the way to an answer',
    'traces',
    {
      person: 'user_id',
      words: 'question',
      content: 'spans',
      other:
        'id workspace_id chat_id message_id policy_version status model started_at total_ms first_token_ms tokens_in tokens_out cost_micros',
    },
    by('user_id'),
  ),
  users: entry(
    'People',
    'account',
    {
      person: 'id',
      words: 'email name',
      secret: 'password_hash totp_sealed totp_last_step recovery_hashes',
      other: 'created_at password_changed_at totp_confirmed_at erased_at',
    },
    by('id'),
  ),
  workspaces: entry(
    'Workspaces',
    'workspace',
    { other: 'id name created_at' },
    (person) => sql`id in (select m.workspace_id from memberships m where m.user_id = ${person})`,
  ),
}

const listOf = (names = ''): string[] => names.split(' ').filter(Boolean)

/** Every column that an entry speaks of. */
export const columnsOf = ({ columns }: TableEntry): string[] => Object.values(columns).flatMap(listOf)

/** Whether any column of it is about a person. */
export const isPersonal = ({ columns }: TableEntry): boolean => Boolean(columns.person ?? columns.words)

/** What a person takes along of their rows: everything but secrets and what is not theirs. */
export const exportedColumns = ({ columns }: TableEntry): string[] =>
  [columns.person, columns.words, columns.other].flatMap(listOf)

/** Those columns as they are selected for a person's id: words of others are null. */
export const exportedTo = (entry: TableEntry, person: SQL): SQL => {
  const { columns, wordsOf } = entry
  const words = new Set(wordsOf ? listOf(columns.words) : [])
  return sql.join(
    exportedColumns(entry).map((column) => {
      const name = sql.identifier(column)
      return wordsOf && words.has(column)
        ? sql`case when ${sql.identifier(wordsOf)} = ${person} then ${name} end as ${name}`
        : sql`${name}`
    }),
    sql`, `,
  )
}
