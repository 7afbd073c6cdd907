CREATE TABLE "chunk_vectors" (
	"chunk_id" bigint NOT NULL,
	"model" text NOT NULL,
	"workspace_id" uuid NOT NULL,
	"document_id" uuid NOT NULL,
	"version_id" uuid NOT NULL,
	"embedding" vector NOT NULL,
	CONSTRAINT "chunk_vectors_chunk_id_model_pk" PRIMARY KEY("chunk_id","model")
);
--> statement-breakpoint
CREATE TABLE "embedding_indexes" (
	"id" uuid PRIMARY KEY NOT NULL,
	"workspace_id" uuid NOT NULL,
	"name" text NOT NULL,
	"model" text,
	"dimensions" integer,
	"state" text NOT NULL,
	"step" text DEFAULT 'embed' NOT NULL,
	"progress_done" bigint DEFAULT 0 NOT NULL,
	"progress_total" bigint DEFAULT 0 NOT NULL,
	"failure" text,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"served_at" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "entities" (
	"id" bigserial PRIMARY KEY NOT NULL,
	"workspace_id" uuid NOT NULL,
	"name" text NOT NULL,
	"kind" text NOT NULL
);
--> statement-breakpoint
CREATE TABLE "entity_aliases" (
	"workspace_id" uuid NOT NULL,
	"alias" text NOT NULL,
	"entity_id" bigint NOT NULL,
	CONSTRAINT "entity_aliases_workspace_id_alias_pk" PRIMARY KEY("workspace_id","alias")
);
--> statement-breakpoint
CREATE TABLE "entity_mentions" (
	"entity_id" bigint NOT NULL,
	"chunk_id" bigint NOT NULL,
	"char_start" integer NOT NULL,
	"char_end" integer NOT NULL,
	CONSTRAINT "entity_mentions_entity_id_chunk_id_char_start_pk" PRIMARY KEY("entity_id","chunk_id","char_start")
);
--> statement-breakpoint
CREATE TABLE "entity_relations" (
	"id" bigserial PRIMARY KEY NOT NULL,
	"workspace_id" uuid NOT NULL,
	"from_id" bigint NOT NULL,
	"to_id" bigint NOT NULL,
	"predicate" text NOT NULL,
	"chunk_id" bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE "golden_questions" (
	"id" uuid PRIMARY KEY NOT NULL,
	"workspace_id" uuid NOT NULL,
	"question" text NOT NULL,
	"expected" jsonb NOT NULL,
	"created_by" uuid,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "recognised_pages" (
	"workspace_id" uuid NOT NULL,
	"content_hash" text NOT NULL,
	"page" integer NOT NULL,
	"words" jsonb NOT NULL,
	"confidence" real NOT NULL,
	CONSTRAINT "recognised_pages_workspace_id_content_hash_page_pk" PRIMARY KEY("workspace_id","content_hash","page")
);
--> statement-breakpoint
CREATE TABLE "source_items" (
	"source_id" uuid NOT NULL,
	"uri" text NOT NULL,
	"document_id" uuid,
	"fingerprint" text,
	"failure" text,
	"seen_attempt" integer NOT NULL,
	"seen_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "source_items_source_id_uri_pk" PRIMARY KEY("source_id","uri")
);
--> statement-breakpoint
CREATE TABLE "sources" (
	"id" uuid PRIMARY KEY NOT NULL,
	"workspace_id" uuid NOT NULL,
	"collection_id" uuid NOT NULL,
	"kind" text NOT NULL,
	"name" text NOT NULL,
	"config" jsonb NOT NULL,
	"every_minutes" integer,
	"state" text DEFAULT 'idle' NOT NULL,
	"progress_done" integer DEFAULT 0 NOT NULL,
	"progress_total" integer DEFAULT 0 NOT NULL,
	"attempt" integer DEFAULT 0 NOT NULL,
	"failure" text,
	"tally" jsonb,
	"last_started_at" timestamp with time zone,
	"last_ended_at" timestamp with time zone,
	"created_by" uuid,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
DROP INDEX "chunks_embedding";--> statement-breakpoint
ALTER TABLE "chunks" ADD COLUMN "language" text DEFAULT 'en' NOT NULL;--> statement-breakpoint
ALTER TABLE "chunks" ADD COLUMN "flags" text[] DEFAULT '{}' NOT NULL;--> statement-breakpoint
ALTER TABLE "document_versions" ADD COLUMN "cause" text DEFAULT 'upload' NOT NULL;--> statement-breakpoint
ALTER TABLE "document_versions" ADD COLUMN "language" text;--> statement-breakpoint
ALTER TABLE "document_versions" ADD COLUMN "author" text;--> statement-breakpoint
ALTER TABLE "document_versions" ADD COLUMN "dated" date;--> statement-breakpoint
ALTER TABLE "document_versions" ADD COLUMN "chunker" text;--> statement-breakpoint
ALTER TABLE "document_versions" ADD COLUMN "picture_pages" integer[];--> statement-breakpoint
ALTER TABLE "document_versions" ADD COLUMN "graph_state" text;--> statement-breakpoint
ALTER TABLE "documents" ADD COLUMN "parent_id" uuid;--> statement-breakpoint
ALTER TABLE "documents" ADD COLUMN "source_id" uuid;--> statement-breakpoint
ALTER TABLE "documents" ADD COLUMN "source_uri" text;--> statement-breakpoint
ALTER TABLE "documents" ADD COLUMN "tags" text[] DEFAULT '{}' NOT NULL;--> statement-breakpoint
ALTER TABLE "lexical_stats" ADD COLUMN "languages" jsonb DEFAULT '{}'::jsonb NOT NULL;--> statement-breakpoint
ALTER TABLE "chunk_vectors" ADD CONSTRAINT "chunk_vectors_chunk_id_chunks_id_fk" FOREIGN KEY ("chunk_id") REFERENCES "public"."chunks"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "embedding_indexes" ADD CONSTRAINT "embedding_indexes_workspace_id_workspaces_id_fk" FOREIGN KEY ("workspace_id") REFERENCES "public"."workspaces"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "entities" ADD CONSTRAINT "entities_workspace_id_workspaces_id_fk" FOREIGN KEY ("workspace_id") REFERENCES "public"."workspaces"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "entity_aliases" ADD CONSTRAINT "entity_aliases_entity_id_entities_id_fk" FOREIGN KEY ("entity_id") REFERENCES "public"."entities"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "entity_mentions" ADD CONSTRAINT "entity_mentions_entity_id_entities_id_fk" FOREIGN KEY ("entity_id") REFERENCES "public"."entities"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "entity_mentions" ADD CONSTRAINT "entity_mentions_chunk_id_chunks_id_fk" FOREIGN KEY ("chunk_id") REFERENCES "public"."chunks"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "entity_relations" ADD CONSTRAINT "entity_relations_from_id_entities_id_fk" FOREIGN KEY ("from_id") REFERENCES "public"."entities"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "entity_relations" ADD CONSTRAINT "entity_relations_to_id_entities_id_fk" FOREIGN KEY ("to_id") REFERENCES "public"."entities"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "entity_relations" ADD CONSTRAINT "entity_relations_chunk_id_chunks_id_fk" FOREIGN KEY ("chunk_id") REFERENCES "public"."chunks"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "golden_questions" ADD CONSTRAINT "golden_questions_workspace_id_workspaces_id_fk" FOREIGN KEY ("workspace_id") REFERENCES "public"."workspaces"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "golden_questions" ADD CONSTRAINT "golden_questions_created_by_users_id_fk" FOREIGN KEY ("created_by") REFERENCES "public"."users"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "recognised_pages" ADD CONSTRAINT "recognised_pages_workspace_id_workspaces_id_fk" FOREIGN KEY ("workspace_id") REFERENCES "public"."workspaces"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "source_items" ADD CONSTRAINT "source_items_source_id_sources_id_fk" FOREIGN KEY ("source_id") REFERENCES "public"."sources"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "source_items" ADD CONSTRAINT "source_items_document_id_documents_id_fk" FOREIGN KEY ("document_id") REFERENCES "public"."documents"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "sources" ADD CONSTRAINT "sources_workspace_id_workspaces_id_fk" FOREIGN KEY ("workspace_id") REFERENCES "public"."workspaces"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "sources" ADD CONSTRAINT "sources_collection_id_collections_id_fk" FOREIGN KEY ("collection_id") REFERENCES "public"."collections"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "sources" ADD CONSTRAINT "sources_created_by_users_id_fk" FOREIGN KEY ("created_by") REFERENCES "public"."users"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "chunk_vectors_version" ON "chunk_vectors" USING btree ("version_id");--> statement-breakpoint
CREATE UNIQUE INDEX "embedding_indexes_serving" ON "embedding_indexes" USING btree ("workspace_id") WHERE state = 'serving';--> statement-breakpoint
CREATE UNIQUE INDEX "embedding_indexes_building" ON "embedding_indexes" USING btree ("workspace_id") WHERE state = 'building';--> statement-breakpoint
CREATE INDEX "entities_workspace" ON "entities" USING btree ("workspace_id");--> statement-breakpoint
CREATE INDEX "entity_aliases_entity" ON "entity_aliases" USING btree ("entity_id");--> statement-breakpoint
CREATE INDEX "entity_mentions_chunk" ON "entity_mentions" USING btree ("chunk_id");--> statement-breakpoint
CREATE UNIQUE INDEX "entity_relations_once" ON "entity_relations" USING btree ("from_id","to_id","predicate","chunk_id");--> statement-breakpoint
CREATE INDEX "entity_relations_to" ON "entity_relations" USING btree ("to_id");--> statement-breakpoint
CREATE INDEX "entity_relations_chunk" ON "entity_relations" USING btree ("chunk_id");--> statement-breakpoint
CREATE UNIQUE INDEX "golden_questions_question" ON "golden_questions" USING btree ("workspace_id","question");--> statement-breakpoint
CREATE INDEX "source_items_document" ON "source_items" USING btree ("document_id");--> statement-breakpoint
CREATE UNIQUE INDEX "sources_name" ON "sources" USING btree ("workspace_id","name");--> statement-breakpoint
ALTER TABLE "documents" ADD CONSTRAINT "documents_parent_id_documents_id_fk" FOREIGN KEY ("parent_id") REFERENCES "public"."documents"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "documents" ADD CONSTRAINT "documents_source_id_sources_id_fk" FOREIGN KEY ("source_id") REFERENCES "public"."sources"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "documents_parent" ON "documents" USING btree ("parent_id");--> statement-breakpoint
CREATE INDEX "documents_source" ON "documents" USING btree ("source_id");--> statement-breakpoint
INSERT INTO "chunk_vectors" ("chunk_id", "model", "workspace_id", "document_id", "version_id", "embedding")
SELECT "id", "embedding_model", "workspace_id", "document_id", "version_id", "embedding" FROM "chunks" WHERE "embedding" IS NOT NULL;--> statement-breakpoint
CREATE INDEX "chunk_vectors_1abf98d97bb5" ON "chunk_vectors" USING hnsw (("embedding"::vector(384)) vector_cosine_ops) WITH (m = 16, ef_construction = 64) WHERE "model" = 'all-MiniLM-L6-v2@1d4f5f95';--> statement-breakpoint
ALTER TABLE "chunks" DROP COLUMN "embedding";--> statement-breakpoint
ALTER TABLE "chunks" DROP COLUMN "embedding_model";