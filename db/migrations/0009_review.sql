CREATE TABLE "confidence_fits" (
	"workspace_id" uuid NOT NULL,
	"version" integer NOT NULL,
	"slope" real NOT NULL,
	"intercept" real NOT NULL,
	"decisions" integer NOT NULL,
	"ece_before" real NOT NULL,
	"ece_after" real NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "confidence_fits_workspace_id_version_pk" PRIMARY KEY("workspace_id","version")
);
--> statement-breakpoint
CREATE TABLE "correction_sources" (
	"correction_id" uuid NOT NULL,
	"kind" text NOT NULL,
	"document_id" uuid NOT NULL,
	"version_id" uuid NOT NULL,
	CONSTRAINT "correction_sources_correction_id_document_id_pk" PRIMARY KEY("correction_id","document_id")
);
--> statement-breakpoint
CREATE TABLE "curated_answers" (
	"id" uuid PRIMARY KEY NOT NULL,
	"workspace_id" uuid NOT NULL,
	"item_id" uuid,
	"question" text NOT NULL,
	"question_hash" text NOT NULL,
	"embedding" vector(384),
	"answer" text NOT NULL,
	"citations" jsonb NOT NULL,
	"created_by" uuid,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"fell_at" timestamp with time zone,
	"fell_because" text
);
--> statement-breakpoint
CREATE TABLE "document_notes" (
	"id" uuid PRIMARY KEY NOT NULL,
	"workspace_id" uuid NOT NULL,
	"document_id" uuid NOT NULL,
	"version_id" uuid NOT NULL,
	"item_id" uuid,
	"quote" text DEFAULT '' NOT NULL,
	"text" text NOT NULL,
	"created_by" uuid,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"resolved_by" uuid,
	"resolved_at" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "feedback" (
	"id" uuid PRIMARY KEY NOT NULL,
	"workspace_id" uuid NOT NULL,
	"message_id" uuid NOT NULL,
	"user_id" uuid NOT NULL,
	"trace_id" uuid,
	"value" smallint NOT NULL,
	"reasons" text[] DEFAULT '{}' NOT NULL,
	"comment" text DEFAULT '' NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "label_items" (
	"message_id" uuid PRIMARY KEY NOT NULL,
	"workspace_id" uuid NOT NULL,
	"rubric_version" integer NOT NULL,
	"adjudicated" jsonb,
	"adjudicated_by" uuid,
	"adjudicated_at" timestamp with time zone,
	"created_by" uuid,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "labels" (
	"message_id" uuid NOT NULL,
	"rater_id" uuid NOT NULL,
	"workspace_id" uuid NOT NULL,
	"scores" jsonb NOT NULL,
	"note" text DEFAULT '' NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "labels_message_id_rater_id_pk" PRIMARY KEY("message_id","rater_id")
);
--> statement-breakpoint
CREATE TABLE "notifications" (
	"id" uuid PRIMARY KEY NOT NULL,
	"workspace_id" uuid NOT NULL,
	"user_id" uuid NOT NULL,
	"kind" text NOT NULL,
	"words" text NOT NULL,
	"link" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"read_at" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "passage_labels" (
	"message_id" uuid NOT NULL,
	"chunk_id" text NOT NULL,
	"rater_id" uuid NOT NULL,
	"workspace_id" uuid NOT NULL,
	"rank" smallint NOT NULL,
	"relevant" boolean NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "passage_labels_message_id_chunk_id_rater_id_pk" PRIMARY KEY("message_id","chunk_id","rater_id")
);
--> statement-breakpoint
CREATE TABLE "review_comments" (
	"id" uuid PRIMARY KEY NOT NULL,
	"workspace_id" uuid NOT NULL,
	"item_id" uuid NOT NULL,
	"author_id" uuid,
	"text" text NOT NULL,
	"mentions" uuid[] DEFAULT '{}' NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "review_drafts" (
	"item_id" uuid NOT NULL,
	"user_id" uuid NOT NULL,
	"text" text NOT NULL,
	"note" text DEFAULT '' NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "review_drafts_item_id_user_id_pk" PRIMARY KEY("item_id","user_id")
);
--> statement-breakpoint
CREATE TABLE "review_items" (
	"id" uuid PRIMARY KEY NOT NULL,
	"workspace_id" uuid NOT NULL,
	"kind" text NOT NULL,
	"message_id" uuid,
	"chat_id" uuid,
	"asker_id" uuid,
	"trace_id" uuid,
	"question" text NOT NULL,
	"content" jsonb NOT NULL,
	"content_hash" text NOT NULL,
	"reasons" jsonb NOT NULL,
	"reason" text NOT NULL,
	"risk" smallint NOT NULL,
	"confidence" real,
	"collection_ids" uuid[] DEFAULT '{}' NOT NULL,
	"held" boolean NOT NULL,
	"seeded" boolean DEFAULT false NOT NULL,
	"state" text DEFAULT 'open' NOT NULL,
	"due_at" timestamp with time zone NOT NULL,
	"expires_at" timestamp with time zone,
	"claimed_by" uuid,
	"lease_until" timestamp with time zone,
	"assigned_to" uuid,
	"escalated_at" timestamp with time zone,
	"policy_version" integer,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"decided_at" timestamp with time zone,
	"decided_by" uuid,
	"decision" jsonb
);
--> statement-breakpoint
CREATE TABLE "rubrics" (
	"workspace_id" uuid NOT NULL,
	"version" integer NOT NULL,
	"rubric" jsonb NOT NULL,
	"created_by" uuid,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "rubrics_workspace_id_version_pk" PRIMARY KEY("workspace_id","version")
);
--> statement-breakpoint
ALTER TABLE "golden_questions" ADD COLUMN "answer" text;--> statement-breakpoint
ALTER TABLE "golden_questions" ADD COLUMN "item_id" uuid;--> statement-breakpoint
ALTER TABLE "golden_questions" ADD COLUMN "fell_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "golden_questions" ADD COLUMN "fell_because" text;--> statement-breakpoint
ALTER TABLE "confidence_fits" ADD CONSTRAINT "confidence_fits_workspace_id_workspaces_id_fk" FOREIGN KEY ("workspace_id") REFERENCES "public"."workspaces"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "curated_answers" ADD CONSTRAINT "curated_answers_workspace_id_workspaces_id_fk" FOREIGN KEY ("workspace_id") REFERENCES "public"."workspaces"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "curated_answers" ADD CONSTRAINT "curated_answers_created_by_users_id_fk" FOREIGN KEY ("created_by") REFERENCES "public"."users"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "document_notes" ADD CONSTRAINT "document_notes_workspace_id_workspaces_id_fk" FOREIGN KEY ("workspace_id") REFERENCES "public"."workspaces"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "document_notes" ADD CONSTRAINT "document_notes_document_id_documents_id_fk" FOREIGN KEY ("document_id") REFERENCES "public"."documents"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "document_notes" ADD CONSTRAINT "document_notes_created_by_users_id_fk" FOREIGN KEY ("created_by") REFERENCES "public"."users"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "document_notes" ADD CONSTRAINT "document_notes_resolved_by_users_id_fk" FOREIGN KEY ("resolved_by") REFERENCES "public"."users"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "feedback" ADD CONSTRAINT "feedback_workspace_id_workspaces_id_fk" FOREIGN KEY ("workspace_id") REFERENCES "public"."workspaces"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "feedback" ADD CONSTRAINT "feedback_message_id_messages_id_fk" FOREIGN KEY ("message_id") REFERENCES "public"."messages"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "feedback" ADD CONSTRAINT "feedback_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "label_items" ADD CONSTRAINT "label_items_message_id_messages_id_fk" FOREIGN KEY ("message_id") REFERENCES "public"."messages"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "label_items" ADD CONSTRAINT "label_items_workspace_id_workspaces_id_fk" FOREIGN KEY ("workspace_id") REFERENCES "public"."workspaces"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "label_items" ADD CONSTRAINT "label_items_adjudicated_by_users_id_fk" FOREIGN KEY ("adjudicated_by") REFERENCES "public"."users"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "label_items" ADD CONSTRAINT "label_items_created_by_users_id_fk" FOREIGN KEY ("created_by") REFERENCES "public"."users"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "labels" ADD CONSTRAINT "labels_message_id_label_items_message_id_fk" FOREIGN KEY ("message_id") REFERENCES "public"."label_items"("message_id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "labels" ADD CONSTRAINT "labels_rater_id_users_id_fk" FOREIGN KEY ("rater_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "labels" ADD CONSTRAINT "labels_workspace_id_workspaces_id_fk" FOREIGN KEY ("workspace_id") REFERENCES "public"."workspaces"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "notifications" ADD CONSTRAINT "notifications_workspace_id_workspaces_id_fk" FOREIGN KEY ("workspace_id") REFERENCES "public"."workspaces"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "notifications" ADD CONSTRAINT "notifications_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "passage_labels" ADD CONSTRAINT "passage_labels_message_id_messages_id_fk" FOREIGN KEY ("message_id") REFERENCES "public"."messages"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "passage_labels" ADD CONSTRAINT "passage_labels_rater_id_users_id_fk" FOREIGN KEY ("rater_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "passage_labels" ADD CONSTRAINT "passage_labels_workspace_id_workspaces_id_fk" FOREIGN KEY ("workspace_id") REFERENCES "public"."workspaces"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "review_comments" ADD CONSTRAINT "review_comments_workspace_id_workspaces_id_fk" FOREIGN KEY ("workspace_id") REFERENCES "public"."workspaces"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "review_comments" ADD CONSTRAINT "review_comments_item_id_review_items_id_fk" FOREIGN KEY ("item_id") REFERENCES "public"."review_items"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "review_comments" ADD CONSTRAINT "review_comments_author_id_users_id_fk" FOREIGN KEY ("author_id") REFERENCES "public"."users"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "review_drafts" ADD CONSTRAINT "review_drafts_item_id_review_items_id_fk" FOREIGN KEY ("item_id") REFERENCES "public"."review_items"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "review_drafts" ADD CONSTRAINT "review_drafts_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "review_items" ADD CONSTRAINT "review_items_workspace_id_workspaces_id_fk" FOREIGN KEY ("workspace_id") REFERENCES "public"."workspaces"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "review_items" ADD CONSTRAINT "review_items_asker_id_users_id_fk" FOREIGN KEY ("asker_id") REFERENCES "public"."users"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "review_items" ADD CONSTRAINT "review_items_claimed_by_users_id_fk" FOREIGN KEY ("claimed_by") REFERENCES "public"."users"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "review_items" ADD CONSTRAINT "review_items_assigned_to_users_id_fk" FOREIGN KEY ("assigned_to") REFERENCES "public"."users"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "review_items" ADD CONSTRAINT "review_items_decided_by_users_id_fk" FOREIGN KEY ("decided_by") REFERENCES "public"."users"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "rubrics" ADD CONSTRAINT "rubrics_workspace_id_workspaces_id_fk" FOREIGN KEY ("workspace_id") REFERENCES "public"."workspaces"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "rubrics" ADD CONSTRAINT "rubrics_created_by_users_id_fk" FOREIGN KEY ("created_by") REFERENCES "public"."users"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "correction_sources_document" ON "correction_sources" USING btree ("document_id");--> statement-breakpoint
CREATE UNIQUE INDEX "curated_answers_question" ON "curated_answers" USING btree ("workspace_id","question_hash") WHERE fell_at is null;--> statement-breakpoint
CREATE INDEX "curated_answers_workspace" ON "curated_answers" USING btree ("workspace_id","created_at");--> statement-breakpoint
CREATE INDEX "document_notes_document" ON "document_notes" USING btree ("document_id","created_at");--> statement-breakpoint
CREATE UNIQUE INDEX "feedback_once" ON "feedback" USING btree ("message_id","user_id");--> statement-breakpoint
CREATE INDEX "feedback_workspace" ON "feedback" USING btree ("workspace_id","created_at");--> statement-breakpoint
CREATE INDEX "label_items_workspace" ON "label_items" USING btree ("workspace_id","created_at");--> statement-breakpoint
CREATE INDEX "notifications_user" ON "notifications" USING btree ("user_id","workspace_id","created_at");--> statement-breakpoint
CREATE INDEX "passage_labels_workspace" ON "passage_labels" USING btree ("workspace_id","created_at");--> statement-breakpoint
CREATE INDEX "review_comments_item" ON "review_comments" USING btree ("item_id","created_at");--> statement-breakpoint
CREATE INDEX "review_items_open" ON "review_items" USING btree ("workspace_id","due_at","id") WHERE state = 'open';--> statement-breakpoint
CREATE INDEX "review_items_decided" ON "review_items" USING btree ("workspace_id","decided_at");--> statement-breakpoint
CREATE INDEX "review_items_created" ON "review_items" USING btree ("workspace_id","created_at");--> statement-breakpoint
CREATE UNIQUE INDEX "review_items_message" ON "review_items" USING btree ("message_id") WHERE state = 'open';--> statement-breakpoint
CREATE INDEX "review_items_of_message" ON "review_items" USING btree ("message_id");--> statement-breakpoint
CREATE INDEX "review_items_seeds" ON "review_items" USING btree ((content #>> '{seed,itemId}')) WHERE seeded;--> statement-breakpoint
-- A reason may quote what somebody said of an answer: its kind stays, its words go.
CREATE FUNCTION reasons_without_words(reasons jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
  SELECT coalesce(jsonb_agg(reason || '{"words":""}' ORDER BY place), '[]')
    FROM jsonb_array_elements(reasons) WITH ORDINALITY AS listed(reason, place)
$$;--> statement-breakpoint
-- Takes every word out of reviews; that there was one, and how it ended, stays.
CREATE FUNCTION empty_reviews(ids uuid[]) RETURNS void LANGUAGE sql AS $$
  DELETE FROM review_drafts WHERE item_id = ANY (ids);
  DELETE FROM review_comments WHERE item_id = ANY (ids);
  UPDATE review_items SET
      state = CASE WHEN state = 'open' THEN 'withdrawn' ELSE state END,
      decided_at = coalesce(decided_at, now()),
      question = '', claimed_by = NULL, lease_until = NULL,
      content = '{"text":"","citations":[],"claims":[],"metadata":{},"sources":[]}',
      reasons = reasons_without_words(reasons),
      decision = decision - 'text' - 'note'
    WHERE id = ANY (ids);
$$;--> statement-breakpoint
-- A message that goes takes the words of its reviews with it, and of the known errors that were made of them. Ids go as arrays: those
-- are looked up by an index, where rows of a subquery may be joined with every review there is.
CREATE FUNCTION empty_reviews_of_messages() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  deleted uuid[] := array(SELECT id FROM gone);
  items uuid[] := array(SELECT id FROM review_items WHERE message_id = ANY (deleted));
BEGIN
  IF cardinality(items) > 0 THEN
    PERFORM empty_reviews(items
      || array(SELECT id FROM review_items WHERE seeded AND content #>> '{seed,itemId}' = ANY (items::text[])));
  END IF;
  RETURN NULL;
END $$;--> statement-breakpoint
CREATE TRIGGER messages_empty_reviews AFTER DELETE ON "messages" REFERENCING OLD TABLE AS gone
  FOR EACH STATEMENT EXECUTE FUNCTION empty_reviews_of_messages();--> statement-breakpoint
-- Asked for again: nobody waits any more for what was held of the answer before, or for a person's own in its place, which would be
-- written where nobody reads it.
CREATE FUNCTION withdraw_awaited_review() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE review_items SET state = 'withdrawn', decided_at = now(), claimed_by = NULL, lease_until = NULL
    WHERE message_id = NEW.id AND (held OR kind = 'asked') AND state = 'open';
  RETURN NULL;
END $$;--> statement-breakpoint
CREATE TRIGGER messages_withdraw_awaited_review AFTER UPDATE OF "superseded_at" ON "messages"
  FOR EACH ROW WHEN (OLD."superseded_at" IS NULL AND NEW."superseded_at" IS NOT NULL)
  EXECUTE FUNCTION withdraw_awaited_review();--> statement-breakpoint
-- What a person has checked holds for the versions that they read. Its maker is told.
CREATE FUNCTION fall_corrections_of_document() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  why text := CASE WHEN TG_OP = 'DELETE' THEN format('“%s” was deleted.', OLD.name) ELSE format('“%s” has changed.', OLD.name) END;
BEGIN
  WITH fallen AS (
    UPDATE curated_answers a SET fell_at = now(), fell_because = why
      WHERE a.fell_at IS NULL AND a.id IN (SELECT correction_id FROM correction_sources WHERE document_id = OLD.id AND kind = 'curated')
      RETURNING a.workspace_id, a.created_by, a.question
  )
  INSERT INTO notifications (id, workspace_id, user_id, kind, words, link)
    SELECT gen_random_uuid(), workspace_id, created_by, 'correction.fell',
      format('Your checked answer to “%s” is no longer given: %s', left(question, 120), why), '/review/corrections'
    FROM fallen WHERE created_by IS NOT NULL;
  WITH fallen AS (
    UPDATE golden_questions g SET fell_at = now(), fell_because = why
      WHERE g.fell_at IS NULL AND g.id IN (SELECT correction_id FROM correction_sources WHERE document_id = OLD.id AND kind = 'golden')
      RETURNING g.workspace_id, g.created_by, g.question
  )
  INSERT INTO notifications (id, workspace_id, user_id, kind, words, link)
    SELECT gen_random_uuid(), workspace_id, created_by, 'correction.fell',
      format('Your golden case “%s” no longer counts: %s', left(question, 120), why), '/review/corrections'
    FROM fallen WHERE created_by IS NOT NULL;
  RETURN NULL;
END $$;--> statement-breakpoint
CREATE TRIGGER documents_fall_corrections_changed AFTER UPDATE OF "published_version_id" ON "documents"
  FOR EACH ROW WHEN (OLD."published_version_id" IS DISTINCT FROM NEW."published_version_id")
  EXECUTE FUNCTION fall_corrections_of_document();--> statement-breakpoint
CREATE TRIGGER documents_fall_corrections_deleted AFTER DELETE ON "documents"
  FOR EACH ROW EXECUTE FUNCTION fall_corrections_of_document();--> statement-breakpoint
CREATE INDEX "audit_log_request" ON "audit_log" USING btree ("workspace_id","request_id");--> statement-breakpoint
CREATE INDEX "review_items_risk" ON "review_items" USING btree ("workspace_id","risk" DESC NULLS FIRST,"id") WHERE state = 'open';--> statement-breakpoint
CREATE INDEX "review_items_assigned" ON "review_items" USING btree ("assigned_to") WHERE state = 'open' and assigned_to is not null;--> statement-breakpoint
CREATE INDEX "review_items_claimed" ON "review_items" USING btree ("claimed_by") WHERE state = 'open' and claimed_by is not null;
