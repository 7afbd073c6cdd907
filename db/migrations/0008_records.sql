-- The audit log cannot be changed and its lines are chained; row-level security stands behind the filter; what was open stays open.

UPDATE "memberships" SET "role" = 'member' WHERE "role" = 'user';--> statement-breakpoint
UPDATE "memberships" AS m SET "role" = 'owner' FROM (
  SELECT DISTINCT ON (a."workspace_id") a."workspace_id", a."user_id" FROM "memberships" a
  WHERE a."role" = 'admin' AND NOT EXISTS (SELECT FROM "memberships" o WHERE o."workspace_id" = a."workspace_id" AND o."role" = 'owner')
  ORDER BY a."workspace_id", a."created_at", a."user_id") AS first
WHERE m."workspace_id" = first."workspace_id" AND m."user_id" = first."user_id";--> statement-breakpoint
INSERT INTO "collection_grants" ("id", "workspace_id", "collection_id", "subject", "subject_id", "level")
  SELECT gen_random_uuid(), "workspace_id", "id", 'workspace', "workspace_id", 'read' FROM "collections";--> statement-breakpoint
INSERT INTO "settings_versions" ("workspace_id", "version", "settings", "at")
  SELECT "workspace_id", "version", "settings", "updated_at" FROM "gateway_settings";--> statement-breakpoint

-- What a line's hash is over: everything in it, as one JSON array, after the hash of the line before.
CREATE FUNCTION audit_line_hash(previous text, line audit_log) RETURNS text LANGUAGE sql STABLE AS $$
  SELECT encode(sha256(convert_to(jsonb_build_array(previous, line.id, line.place,
    to_char(line.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US'), line.workspace_id, line.actor_id, line.event, line.object_id,
    line.details, line.before_hash, line.after_hash, line.address, line.request_id)::text, 'UTF8')), 'hex')
$$;--> statement-breakpoint
-- At commit, so that the lock on the chain's head is held for a moment and never while other locks are waited for.
CREATE FUNCTION chain_audit_line() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  own uuid := coalesce(NEW.workspace_id, '00000000-0000-0000-0000-000000000000');
  head audit_heads;
  line audit_log;
BEGIN
  INSERT INTO audit_heads (chain, place, hash) VALUES (own, 0, '') ON CONFLICT DO NOTHING;
  SELECT * INTO head FROM audit_heads WHERE chain = own FOR UPDATE;
  SELECT * INTO line FROM audit_log WHERE id = NEW.id;
  line.place := head.place + 1;
  line.hash := audit_line_hash(head.hash, line);
  UPDATE audit_log SET place = line.place, hash = line.hash WHERE id = line.id;
  UPDATE audit_heads SET place = line.place, hash = line.hash WHERE chain = own;
  RETURN NULL;
END $$;--> statement-breakpoint
-- Nobody changes a line, and nobody deletes one of the last half year (EU AI Act, Art. 19 and 26: logs are kept so long at least).
CREATE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' AND OLD.hash IS NULL AND NEW.hash IS NOT NULL
    AND to_jsonb(NEW) - 'place' - 'hash' = to_jsonb(OLD) - 'place' - 'hash' THEN RETURN NEW; END IF;
  IF TG_OP = 'DELETE' AND OLD.at < now() - interval '183 days' THEN RETURN OLD; END IF;
  RAISE EXCEPTION 'the audit log is append-only' USING ERRCODE = 'insufficient_privilege';
END $$;--> statement-breakpoint
DO $$
DECLARE
  line audit_log;
  own uuid;
  head audit_heads;
BEGIN
  FOR line IN SELECT * FROM audit_log ORDER BY id LOOP
    own := coalesce(line.workspace_id, '00000000-0000-0000-0000-000000000000');
    INSERT INTO audit_heads (chain, place, hash) VALUES (own, 0, '') ON CONFLICT DO NOTHING;
    SELECT * INTO head FROM audit_heads WHERE chain = own;
    line.place := head.place + 1;
    line.hash := audit_line_hash(head.hash, line);
    UPDATE audit_log SET place = line.place, hash = line.hash WHERE id = line.id;
    UPDATE audit_heads SET place = line.place, hash = line.hash WHERE chain = own;
  END LOOP;
END $$;--> statement-breakpoint
CREATE CONSTRAINT TRIGGER audit_log_chain AFTER INSERT ON "audit_log" DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION chain_audit_line();--> statement-breakpoint
CREATE TRIGGER audit_log_append_only BEFORE UPDATE OR DELETE ON "audit_log" FOR EACH ROW EXECUTE FUNCTION refuse_audit_change();--> statement-breakpoint
CREATE TRIGGER audit_log_no_truncate BEFORE TRUNCATE ON "audit_log" FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change();--> statement-breakpoint

-- A role for reading on somebody's behalf: what its session says of workspace and person decides, whatever a statement forgets.
-- Roles belong to the whole cluster, and another database may be making the same one.
DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'footnote_reader') THEN
    BEGIN
      CREATE ROLE footnote_reader NOLOGIN;
    EXCEPTION
      WHEN duplicate_object OR unique_violation THEN NULL;
      WHEN insufficient_privilege THEN RAISE NOTICE 'footnote_reader could not be made: row-level security is off until an admin of the server makes it';
    END;
  END IF;
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'footnote_reader') THEN
    BEGIN
      EXECUTE format('GRANT footnote_reader TO %I', current_user);
    EXCEPTION WHEN OTHERS THEN NULL;
    END;
    EXECUTE format('GRANT USAGE ON SCHEMA public TO footnote_reader');
    GRANT SELECT ON documents, document_versions, document_pages, chunks, chunk_vectors, postings, lexical_stats, collections,
      collection_grants, group_members, incident_switches, passage_releases, gateway_settings, embedding_indexes, entities,
      entity_aliases, entity_mentions, entity_relations, recognised_pages, sources TO footnote_reader;
    CREATE POLICY of_person ON documents FOR SELECT TO footnote_reader USING (
      workspace_id = (SELECT nullif(current_setting('app.workspace', true), '')::uuid)
      AND collection_id IN (SELECT g.collection_id FROM collection_grants g
        WHERE g.workspace_id = (SELECT nullif(current_setting('app.workspace', true), '')::uuid)
          AND (g.subject = 'workspace'
            OR g.subject = 'person' AND g.subject_id = (SELECT nullif(current_setting('app.person', true), '')::uuid)
            OR g.subject = 'group' AND g.subject_id IN (SELECT m.group_id FROM group_members m
              WHERE m.user_id = (SELECT nullif(current_setting('app.person', true), '')::uuid)))));
    CREATE POLICY of_workspace ON chunks FOR SELECT TO footnote_reader
      USING (workspace_id = (SELECT nullif(current_setting('app.workspace', true), '')::uuid));
    CREATE POLICY of_workspace ON chunk_vectors FOR SELECT TO footnote_reader
      USING (workspace_id = (SELECT nullif(current_setting('app.workspace', true), '')::uuid));
    CREATE POLICY of_workspace ON postings FOR SELECT TO footnote_reader
      USING (workspace_id = (SELECT nullif(current_setting('app.workspace', true), '')::uuid));
    CREATE POLICY of_document ON document_versions FOR SELECT TO footnote_reader
      USING (EXISTS (SELECT FROM documents d WHERE d.id = document_id));
    CREATE POLICY of_version ON document_pages FOR SELECT TO footnote_reader
      USING (EXISTS (SELECT FROM document_versions v WHERE v.id = version_id));
    CREATE POLICY of_passage ON entity_mentions FOR SELECT TO footnote_reader
      USING (EXISTS (SELECT FROM chunks c WHERE c.id = chunk_id));
    CREATE POLICY of_workspace ON entities FOR SELECT TO footnote_reader
      USING (workspace_id = (SELECT nullif(current_setting('app.workspace', true), '')::uuid));
    CREATE POLICY of_workspace ON entity_aliases FOR SELECT TO footnote_reader
      USING (workspace_id = (SELECT nullif(current_setting('app.workspace', true), '')::uuid));
    CREATE POLICY of_workspace ON entity_relations FOR SELECT TO footnote_reader
      USING (workspace_id = (SELECT nullif(current_setting('app.workspace', true), '')::uuid));
    CREATE POLICY of_workspace ON recognised_pages FOR SELECT TO footnote_reader
      USING (workspace_id = (SELECT nullif(current_setting('app.workspace', true), '')::uuid));
    CREATE POLICY of_workspace ON sources FOR SELECT TO footnote_reader
      USING (workspace_id = (SELECT nullif(current_setting('app.workspace', true), '')::uuid));
    CREATE POLICY of_workspace ON collections FOR SELECT TO footnote_reader
      USING (workspace_id = (SELECT nullif(current_setting('app.workspace', true), '')::uuid));
    ALTER TABLE documents ENABLE ROW LEVEL SECURITY;
    ALTER TABLE chunks ENABLE ROW LEVEL SECURITY;
    ALTER TABLE chunk_vectors ENABLE ROW LEVEL SECURITY;
    ALTER TABLE postings ENABLE ROW LEVEL SECURITY;
    ALTER TABLE document_versions ENABLE ROW LEVEL SECURITY;
    ALTER TABLE document_pages ENABLE ROW LEVEL SECURITY;
    ALTER TABLE entity_mentions ENABLE ROW LEVEL SECURITY;
    ALTER TABLE entities ENABLE ROW LEVEL SECURITY;
    ALTER TABLE entity_aliases ENABLE ROW LEVEL SECURITY;
    ALTER TABLE entity_relations ENABLE ROW LEVEL SECURITY;
    ALTER TABLE recognised_pages ENABLE ROW LEVEL SECURITY;
    ALTER TABLE sources ENABLE ROW LEVEL SECURITY;
    ALTER TABLE collections ENABLE ROW LEVEL SECURITY;
  END IF;
END $$;
