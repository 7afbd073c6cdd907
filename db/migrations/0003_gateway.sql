CREATE TABLE "alerts" (
	"id" uuid PRIMARY KEY NOT NULL,
	"workspace_id" uuid NOT NULL,
	"rule" text NOT NULL,
	"started_at" timestamp with time zone DEFAULT now() NOT NULL,
	"ended_at" timestamp with time zone,
	"value" double precision NOT NULL,
	"detail" text NOT NULL,
	"delivered_at" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "answer_cache" (
	"id" uuid PRIMARY KEY NOT NULL,
	"workspace_id" uuid NOT NULL,
	"recipe" text NOT NULL,
	"question" text NOT NULL,
	"question_hash" text NOT NULL,
	"embedding" vector(384),
	"answer" text NOT NULL,
	"citations" jsonb NOT NULL,
	"model" text NOT NULL,
	"tokens_in" integer NOT NULL,
	"tokens_out" integer NOT NULL,
	"cost_micros" bigint NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"expires_at" timestamp with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "answer_cache_observations" (
	"id" bigserial PRIMARY KEY NOT NULL,
	"answer_id" uuid NOT NULL,
	"similarity" double precision NOT NULL,
	"same" boolean NOT NULL,
	"at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "answer_cache_sources" (
	"answer_id" uuid NOT NULL,
	"document_id" uuid NOT NULL,
	CONSTRAINT "answer_cache_sources_answer_id_document_id_pk" PRIMARY KEY("answer_id","document_id")
);
--> statement-breakpoint
CREATE TABLE "breakers" (
	"key" text PRIMARY KEY NOT NULL,
	"state" text NOT NULL,
	"retry_at" timestamp with time zone,
	"reason" text,
	"changed_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "budget_reservations" (
	"id" uuid PRIMARY KEY NOT NULL,
	"scopes" jsonb NOT NULL,
	"micros" bigint NOT NULL,
	"expires_at" timestamp with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "budget_windows" (
	"scope" text NOT NULL,
	"window" text NOT NULL,
	"spent_micros" bigint DEFAULT 0 NOT NULL,
	"reserved_micros" bigint DEFAULT 0 NOT NULL,
	"resets_at" timestamp with time zone NOT NULL,
	CONSTRAINT "budget_windows_scope_window_pk" PRIMARY KEY("scope","window")
);
--> statement-breakpoint
CREATE TABLE "gateway_settings" (
	"workspace_id" uuid PRIMARY KEY NOT NULL,
	"settings" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"version" integer DEFAULT 1 NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "model_calls" (
	"id" uuid PRIMARY KEY NOT NULL,
	"at" timestamp with time zone DEFAULT now() NOT NULL,
	"workspace_id" uuid NOT NULL,
	"user_id" uuid,
	"chat_id" uuid,
	"message_id" uuid,
	"trace_id" uuid,
	"task" text NOT NULL,
	"feature" text NOT NULL,
	"tier" text,
	"route" text,
	"provider" text,
	"requested_model" text,
	"served_model" text,
	"fingerprint" text,
	"outcome" text NOT NULL,
	"cache" text,
	"attempts" integer DEFAULT 1 NOT NULL,
	"tokens_in" integer,
	"tokens_out" integer,
	"tokens_cached" integer,
	"tokens_reasoning" integer,
	"usage_estimated" boolean DEFAULT false NOT NULL,
	"cost_micros" bigint,
	"saved_micros" bigint DEFAULT 0 NOT NULL,
	"saved_tokens" integer DEFAULT 0 NOT NULL,
	"first_token_ms" integer,
	"total_ms" integer,
	"prompt_name" text,
	"prompt_version" text,
	"prompt_hash" text,
	"policy_version" integer
);
--> statement-breakpoint
CREATE TABLE "model_providers" (
	"id" uuid PRIMARY KEY NOT NULL,
	"workspace_id" uuid NOT NULL,
	"name" text NOT NULL,
	"kind" text NOT NULL,
	"base_url" text,
	"sealed_key" text,
	"key_hint" text,
	"local" boolean DEFAULT false NOT NULL,
	"enabled" boolean DEFAULT true NOT NULL,
	"requests_per_minute" integer,
	"tokens_per_minute" integer,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "models" (
	"id" uuid PRIMARY KEY NOT NULL,
	"workspace_id" uuid NOT NULL,
	"provider_id" uuid NOT NULL,
	"model_id" text NOT NULL,
	"tier" text NOT NULL,
	"position" integer DEFAULT 0 NOT NULL,
	"context_tokens_max" integer,
	"input_micros_per_million" bigint,
	"output_micros_per_million" bigint,
	"cached_micros_per_million" bigint,
	"enabled" boolean DEFAULT true NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "task_results" (
	"workspace_id" uuid NOT NULL,
	"task" text NOT NULL,
	"input_hash" text NOT NULL,
	"output" jsonb NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "task_results_workspace_id_task_input_hash_pk" PRIMARY KEY("workspace_id","task","input_hash")
);
--> statement-breakpoint
ALTER TABLE "document_versions" ADD COLUMN "summary" text;--> statement-breakpoint
ALTER TABLE "document_versions" ADD COLUMN "tags" text[];--> statement-breakpoint
ALTER TABLE "document_versions" ADD COLUMN "described_done" integer;--> statement-breakpoint
ALTER TABLE "document_versions" ADD COLUMN "described_total" integer;--> statement-breakpoint
ALTER TABLE "alerts" ADD CONSTRAINT "alerts_workspace_id_workspaces_id_fk" FOREIGN KEY ("workspace_id") REFERENCES "public"."workspaces"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "answer_cache" ADD CONSTRAINT "answer_cache_workspace_id_workspaces_id_fk" FOREIGN KEY ("workspace_id") REFERENCES "public"."workspaces"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "answer_cache_observations" ADD CONSTRAINT "answer_cache_observations_answer_id_answer_cache_id_fk" FOREIGN KEY ("answer_id") REFERENCES "public"."answer_cache"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "answer_cache_sources" ADD CONSTRAINT "answer_cache_sources_answer_id_answer_cache_id_fk" FOREIGN KEY ("answer_id") REFERENCES "public"."answer_cache"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "gateway_settings" ADD CONSTRAINT "gateway_settings_workspace_id_workspaces_id_fk" FOREIGN KEY ("workspace_id") REFERENCES "public"."workspaces"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "model_providers" ADD CONSTRAINT "model_providers_workspace_id_workspaces_id_fk" FOREIGN KEY ("workspace_id") REFERENCES "public"."workspaces"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "models" ADD CONSTRAINT "models_workspace_id_workspaces_id_fk" FOREIGN KEY ("workspace_id") REFERENCES "public"."workspaces"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "models" ADD CONSTRAINT "models_provider_id_model_providers_id_fk" FOREIGN KEY ("provider_id") REFERENCES "public"."model_providers"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "task_results" ADD CONSTRAINT "task_results_workspace_id_workspaces_id_fk" FOREIGN KEY ("workspace_id") REFERENCES "public"."workspaces"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "alerts_open" ON "alerts" USING btree ("workspace_id","rule") WHERE ended_at is null;--> statement-breakpoint
CREATE INDEX "alerts_workspace" ON "alerts" USING btree ("workspace_id","started_at");--> statement-breakpoint
CREATE UNIQUE INDEX "answer_cache_exact" ON "answer_cache" USING btree ("recipe","question_hash");--> statement-breakpoint
CREATE INDEX "answer_cache_expiry" ON "answer_cache" USING btree ("expires_at");--> statement-breakpoint
CREATE INDEX "answer_cache_workspace" ON "answer_cache" USING btree ("workspace_id","created_at");--> statement-breakpoint
CREATE INDEX "answer_cache_embedding" ON "answer_cache" USING hnsw ("embedding" vector_cosine_ops) WITH (m=16,ef_construction=64);--> statement-breakpoint
CREATE INDEX "answer_cache_observations_answer" ON "answer_cache_observations" USING btree ("answer_id");--> statement-breakpoint
CREATE INDEX "answer_cache_sources_document" ON "answer_cache_sources" USING btree ("document_id");--> statement-breakpoint
CREATE INDEX "budget_reservations_expiry" ON "budget_reservations" USING btree ("expires_at");--> statement-breakpoint
CREATE INDEX "budget_windows_over" ON "budget_windows" USING btree ("resets_at");--> statement-breakpoint
CREATE INDEX "model_calls_workspace" ON "model_calls" USING btree ("workspace_id","at");--> statement-breakpoint
CREATE INDEX "model_calls_message" ON "model_calls" USING btree ("message_id");--> statement-breakpoint
CREATE UNIQUE INDEX "model_providers_name" ON "model_providers" USING btree ("workspace_id","name");--> statement-breakpoint
CREATE UNIQUE INDEX "models_name" ON "models" USING btree ("provider_id","model_id");--> statement-breakpoint
-- A kept answer is gone in the transaction that publishes another version of a document it rests on, moves it or deletes it.
CREATE FUNCTION "forget_answers_of_document"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	DELETE FROM "answer_cache" WHERE "id" IN (SELECT "answer_id" FROM "answer_cache_sources" WHERE "document_id" = OLD."id");
	RETURN NULL;
END
$$;--> statement-breakpoint
CREATE TRIGGER "documents_forget_answers_changed" AFTER UPDATE OF "published_version_id", "collection_id" ON "documents"
	FOR EACH ROW WHEN (OLD."published_version_id" IS DISTINCT FROM NEW."published_version_id" OR OLD."collection_id" IS DISTINCT FROM NEW."collection_id")
	EXECUTE FUNCTION "forget_answers_of_document"();--> statement-breakpoint
CREATE TRIGGER "documents_forget_answers_deleted" AFTER DELETE ON "documents"
	FOR EACH ROW EXECUTE FUNCTION "forget_answers_of_document"();--> statement-breakpoint
-- The kept answers nearest to a question, with what was seen of each. A function for its settings: far fewer candidates than a search
-- for passages needs, and an end to the walk where a recipe has few answers among many. Its conditions are a scalar subquery on
-- purpose: as plain ones the planner takes the recipe for selective and measures all its answers instead of walking the graph.
CREATE FUNCTION "near_answers"("wanted" text, "living_at" timestamptz, "made_after" timestamptz, "near" vector, "most" integer)
RETURNS TABLE ("id" uuid, "question" text, "answer" text, "citations" jsonb, "model" text, "tokens_in" integer, "tokens_out" integer,
	"cost_micros" bigint, "created_at" timestamptz, "cosine" double precision, "observations" jsonb)
LANGUAGE sql STABLE SET hnsw.ef_search = '20' SET hnsw.max_scan_tuples = '5000' SET hnsw.iterative_scan = 'strict_order'
SET enable_seqscan = 'off' AS $$
	SELECT a."id", a."question", a."answer", a."citations", a."model", a."tokens_in", a."tokens_out", a."cost_micros", a."created_at",
		1 - (a."embedding" <=> "near"),
		coalesce((SELECT jsonb_agg(jsonb_build_object('similarity', seen."similarity", 'same', seen."same"))
			FROM (SELECT o."similarity", o."same" FROM "answer_cache_observations" o WHERE o."answer_id" = a."id" ORDER BY o."id" DESC LIMIT 250) seen),
			'[]'::jsonb)
	FROM "answer_cache" a
	WHERE (SELECT a."recipe" = "wanted" AND a."expires_at" > "living_at" AND a."created_at" > "made_after")
	ORDER BY a."embedding" <=> "near"
	LIMIT "most"
$$;
