-- The schema that a new database begins with; the steps after it are in migrate.go. Statements are safe to repeat, and in
-- the SQL that SQLite, PostgreSQL and CockroachDB share. Times are microseconds since 1970 (0: never), flags are 0 or 1;
-- host is the domain that something is of, owner the localpart of an account.

-- Accounts, and what signs in to them.

CREATE TABLE IF NOT EXISTS users (
    host TEXT NOT NULL, name TEXT NOT NULL, keys BYTEA, disabled INT8 NOT NULL, admin INT8 NOT NULL,
    full_name TEXT NOT NULL, created INT8 NOT NULL, last_seen INT8 NOT NULL, last_status TEXT NOT NULL,
    retention_set INT8 NOT NULL DEFAULT 0, retention_own INT8 NOT NULL DEFAULT 0,
    PRIMARY KEY (host, name));

CREATE TABLE IF NOT EXISTS people (
    host TEXT NOT NULL, owner TEXT NOT NULL, role TEXT NOT NULL, email TEXT NOT NULL, email_key TEXT NOT NULL,
    phone TEXT NOT NULL, title TEXT NOT NULL, department TEXT NOT NULL, lang TEXT NOT NULL, archived INT8 NOT NULL,
    updated INT8 NOT NULL, shown_email TEXT NOT NULL DEFAULT '', shown_phone TEXT NOT NULL DEFAULT '',
    shown_title TEXT NOT NULL DEFAULT '', shown_department TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (host, owner));
CREATE UNIQUE INDEX IF NOT EXISTS people_email ON people (host, email_key) WHERE email_key <> '';

CREATE TABLE IF NOT EXISTS former_accounts (
    host TEXT NOT NULL, name TEXT NOT NULL, times INT8 NOT NULL, deleted INT8 NOT NULL, settled INT8 NOT NULL,
    PRIMARY KEY (host, name));
CREATE INDEX IF NOT EXISTS former_accounts_untold ON former_accounts (host, name) WHERE settled = 0;

CREATE TABLE IF NOT EXISTS tokens (
    host TEXT NOT NULL, owner TEXT NOT NULL, client TEXT NOT NULL, fresh INT8 NOT NULL, mechanism TEXT NOT NULL,
    salt BYTEA NOT NULL, issued INT8 NOT NULL, expires INT8 NOT NULL, uses INT8 NOT NULL,
    app TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (host, owner, client, fresh));

CREATE TABLE IF NOT EXISTS app_passwords (
    host TEXT NOT NULL, owner TEXT NOT NULL, id TEXT NOT NULL, name TEXT NOT NULL, keys BYTEA NOT NULL,
    created INT8 NOT NULL, used INT8 NOT NULL,
    PRIMARY KEY (host, owner, id));

CREATE TABLE IF NOT EXISTS api_tokens (
    host TEXT NOT NULL, hash TEXT NOT NULL, owner TEXT NOT NULL, name TEXT NOT NULL, scopes TEXT NOT NULL,
    created INT8 NOT NULL, expires INT8 NOT NULL, used INT8 NOT NULL,
    PRIMARY KEY (host, hash));

CREATE TABLE IF NOT EXISTS second_factors (
    host TEXT NOT NULL, owner TEXT NOT NULL, secret TEXT NOT NULL, confirmed INT8 NOT NULL, last_step INT8 NOT NULL,
    recovery TEXT NOT NULL,
    PRIMARY KEY (host, owner));

CREATE TABLE IF NOT EXISTS web_sessions (
    host TEXT NOT NULL, hash TEXT NOT NULL, owner TEXT NOT NULL, created INT8 NOT NULL, seen INT8 NOT NULL,
    expires INT8 NOT NULL, proven INT8 NOT NULL, remote TEXT NOT NULL, agent TEXT NOT NULL,
    PRIMARY KEY (host, hash));
CREATE INDEX IF NOT EXISTS web_sessions_owner ON web_sessions (host, owner);

CREATE TABLE IF NOT EXISTS places (
    host TEXT NOT NULL, owner TEXT NOT NULL, network TEXT NOT NULL, used INT8 NOT NULL,
    PRIMARY KEY (host, owner, network));
CREATE INDEX IF NOT EXISTS places_used ON places (used);

CREATE TABLE IF NOT EXISTS quiet_hours (
    host TEXT NOT NULL, owner TEXT NOT NULL, active INT8 NOT NULL, starts INT8 NOT NULL, ends INT8 NOT NULL,
    days INT8 NOT NULL, zone TEXT NOT NULL, paused INT8 NOT NULL,
    PRIMARY KEY (host, owner));

CREATE TABLE IF NOT EXISTS digests (
    host TEXT NOT NULL, owner TEXT NOT NULL, every TEXT NOT NULL, told INT8 NOT NULL, due INT8 NOT NULL,
    PRIMARY KEY (host, owner));
CREATE INDEX IF NOT EXISTS digests_due ON digests (host, due);

-- Invitations, and mail that is to be sent.

CREATE TABLE IF NOT EXISTS invites (
    host TEXT NOT NULL, id TEXT NOT NULL, generation INT8 NOT NULL, owner TEXT NOT NULL, kind TEXT NOT NULL,
    account INT8 NOT NULL, contact INT8 NOT NULL, username TEXT NOT NULL, email TEXT NOT NULL, lang TEXT NOT NULL,
    note TEXT NOT NULL, state TEXT NOT NULL, uses INT8 NOT NULL, max_uses INT8 NOT NULL, created INT8 NOT NULL,
    expires INT8 NOT NULL,
    PRIMARY KEY (host, id));
CREATE INDEX IF NOT EXISTS invites_owner ON invites (host, owner, created);
CREATE INDEX IF NOT EXISTS invites_username ON invites (host, username, created);

CREATE TABLE IF NOT EXISTS invite_events (
    host TEXT NOT NULL, invite TEXT NOT NULL, id INT8 NOT NULL, kind TEXT NOT NULL, actor TEXT NOT NULL,
    detail TEXT NOT NULL,
    PRIMARY KEY (host, invite, id));

CREATE TABLE IF NOT EXISTS outbox (
    host TEXT NOT NULL, id INT8 NOT NULL, recipient TEXT NOT NULL, subject TEXT NOT NULL, plain TEXT NOT NULL,
    html TEXT NOT NULL, invite TEXT NOT NULL, state TEXT NOT NULL, attempts INT8 NOT NULL, due INT8 NOT NULL,
    error TEXT NOT NULL, done INT8 NOT NULL,
    PRIMARY KEY (host, id));
CREATE INDEX IF NOT EXISTS outbox_due ON outbox (host, state, due);
CREATE INDEX IF NOT EXISTS outbox_invite ON outbox (host, invite);

-- Contacts, and who is not heard.

CREATE TABLE IF NOT EXISTS rosters (
    host TEXT NOT NULL, owner TEXT NOT NULL, version INT8 NOT NULL,
    PRIMARY KEY (host, owner));

CREATE TABLE IF NOT EXISTS contacts (
    host TEXT NOT NULL, owner TEXT NOT NULL, jid TEXT NOT NULL, name TEXT NOT NULL, subscription TEXT NOT NULL,
    ask INT8 NOT NULL, member_of TEXT NOT NULL, approved INT8 NOT NULL, request BYTEA, in_roster INT8 NOT NULL,
    removed INT8 NOT NULL, version INT8 NOT NULL,
    PRIMARY KEY (host, owner, jid));
CREATE INDEX IF NOT EXISTS contacts_jid ON contacts (host, jid, owner);

CREATE TABLE IF NOT EXISTS blocked (
    host TEXT NOT NULL, owner TEXT NOT NULL, jid TEXT NOT NULL,
    PRIMARY KEY (host, owner, jid));

CREATE TABLE IF NOT EXISTS reports (
    host TEXT NOT NULL, id INT8 NOT NULL, owner TEXT NOT NULL, who TEXT NOT NULL, reason TEXT NOT NULL,
    note TEXT NOT NULL, messages TEXT NOT NULL,
    PRIMARY KEY (host, id));
CREATE INDEX IF NOT EXISTS reports_owner ON reports (host, owner);

-- What people say to each other, and how far they have read it.

CREATE TABLE IF NOT EXISTS archive (
    host TEXT NOT NULL, owner TEXT NOT NULL, id INT8 NOT NULL, with_bare TEXT NOT NULL, with_res TEXT NOT NULL,
    incoming INT8 NOT NULL, origin_id TEXT NOT NULL, stanza BYTEA NOT NULL,
    PRIMARY KEY (host, owner, id));
CREATE INDEX IF NOT EXISTS archive_with ON archive (host, owner, with_bare, id);

CREATE TABLE IF NOT EXISTS offline (
    host TEXT NOT NULL, owner TEXT NOT NULL, id INT8 NOT NULL, expires INT8 NOT NULL, stanza BYTEA NOT NULL,
    PRIMARY KEY (host, owner, id));

CREATE TABLE IF NOT EXISTS chats (
    host TEXT NOT NULL, owner TEXT NOT NULL, chat TEXT NOT NULL, last INT8 NOT NULL,
    PRIMARY KEY (host, owner, chat));

CREATE TABLE IF NOT EXISTS chat_marks (
    host TEXT NOT NULL, owner TEXT NOT NULL, upto INT8 NOT NULL,
    PRIMARY KEY (host, owner));

CREATE TABLE IF NOT EXISTS displayed (
    host TEXT NOT NULL, owner TEXT NOT NULL, chat TEXT NOT NULL, id INT8 NOT NULL,
    PRIMARY KEY (host, owner, chat));

CREATE TABLE IF NOT EXISTS mentions (
    host TEXT NOT NULL, owner TEXT NOT NULL, room TEXT NOT NULL, id INT8 NOT NULL,
    PRIMARY KEY (host, owner, room, id));

CREATE TABLE IF NOT EXISTS search_terms (
    host TEXT NOT NULL, owner TEXT NOT NULL, term BYTEA NOT NULL, high INT8 NOT NULL, low INT8 NOT NULL,
    ids BYTEA NOT NULL,
    PRIMARY KEY (host, owner, term, high));

CREATE TABLE IF NOT EXISTS search_marks (
    host TEXT NOT NULL, owner TEXT NOT NULL, upto INT8 NOT NULL,
    PRIMARY KEY (host, owner));

-- What clients keep.

CREATE TABLE IF NOT EXISTS private_data (
    host TEXT NOT NULL, owner TEXT NOT NULL, space TEXT NOT NULL, local TEXT NOT NULL, data BYTEA NOT NULL,
    PRIMARY KEY (host, owner, space, local));

CREATE TABLE IF NOT EXISTS bookmarks (
    host TEXT NOT NULL, owner TEXT NOT NULL, room TEXT NOT NULL, name TEXT NOT NULL, nick TEXT NOT NULL,
    password TEXT NOT NULL, autojoin INT8 NOT NULL, extensions BYTEA, updated INT8 NOT NULL,
    PRIMARY KEY (host, owner, room));
CREATE INDEX IF NOT EXISTS bookmarks_room ON bookmarks (host, room, owner);

-- Rooms (XEP-0045).

CREATE TABLE IF NOT EXISTS rooms (
    host TEXT NOT NULL, name TEXT NOT NULL, group_id TEXT NOT NULL, theme TEXT NOT NULL, epoch INT8 NOT NULL,
    config BYTEA, subject BYTEA, created INT8 NOT NULL, destroyed INT8 NOT NULL,
    PRIMARY KEY (host, name));
CREATE INDEX IF NOT EXISTS rooms_of_group ON rooms (group_id, host, theme);

CREATE TABLE IF NOT EXISTS room_archive (
    host TEXT NOT NULL, room TEXT NOT NULL, seq INT8 NOT NULL, id INT8 NOT NULL, nick TEXT NOT NULL,
    occupant_id TEXT NOT NULL, sender TEXT NOT NULL, origin_id TEXT NOT NULL, subject INT8 NOT NULL,
    stanza BYTEA NOT NULL,
    PRIMARY KEY (host, room, seq));
CREATE UNIQUE INDEX IF NOT EXISTS room_archive_id ON room_archive (host, room, id);

CREATE TABLE IF NOT EXISTS affiliations (
    host TEXT NOT NULL, room TEXT NOT NULL, jid TEXT NOT NULL, affiliation TEXT NOT NULL, nick TEXT NOT NULL,
    reason TEXT NOT NULL, since INT8 NOT NULL DEFAULT 0,
    PRIMARY KEY (host, room, jid));
CREATE INDEX IF NOT EXISTS affiliations_jid ON affiliations (host, jid);

CREATE TABLE IF NOT EXISTS room_requests (
    host TEXT NOT NULL, room TEXT NOT NULL, jid TEXT NOT NULL, nick TEXT NOT NULL, since INT8 NOT NULL,
    PRIMARY KEY (host, room, jid));

CREATE TABLE IF NOT EXISTS room_readers (
    host TEXT NOT NULL, room TEXT NOT NULL, readers TEXT NOT NULL, named INT8 NOT NULL, since_added INT8 NOT NULL,
    PRIMARY KEY (host, room));

-- The organization: groups, themes and teams.

CREATE TABLE IF NOT EXISTS org_groups (
    host TEXT NOT NULL, id TEXT NOT NULL, slug TEXT NOT NULL, room TEXT NOT NULL, name TEXT NOT NULL,
    description TEXT NOT NULL, private INT8 NOT NULL, themes_by TEXT NOT NULL, created INT8 NOT NULL,
    deleted INT8 NOT NULL, kind TEXT NOT NULL DEFAULT '', mandatory TEXT NOT NULL DEFAULT '',
    mention_by TEXT NOT NULL DEFAULT '', guests INT8 NOT NULL DEFAULT 0, emoji TEXT NOT NULL DEFAULT '',
    photo_hash TEXT NOT NULL DEFAULT '', since_join INT8 NOT NULL DEFAULT 0,
    PRIMARY KEY (host, id));
CREATE UNIQUE INDEX IF NOT EXISTS org_groups_slug ON org_groups (host, slug);
CREATE INDEX IF NOT EXISTS org_groups_mandatory ON org_groups (host, mandatory);

CREATE TABLE IF NOT EXISTS group_photos (
    host TEXT NOT NULL, group_id TEXT NOT NULL, mime TEXT NOT NULL, hash TEXT NOT NULL, data BYTEA NOT NULL,
    PRIMARY KEY (host, group_id));

CREATE TABLE IF NOT EXISTS group_requests (
    host TEXT NOT NULL, group_id TEXT NOT NULL, jid TEXT NOT NULL, reason TEXT NOT NULL, since INT8 NOT NULL,
    PRIMARY KEY (host, group_id, jid));

CREATE TABLE IF NOT EXISTS group_jobs (
    host TEXT NOT NULL, group_id TEXT NOT NULL,
    PRIMARY KEY (host, group_id));

CREATE TABLE IF NOT EXISTS members (
    host TEXT NOT NULL, group_id TEXT NOT NULL, jid TEXT NOT NULL, role TEXT NOT NULL, since INT8 NOT NULL,
    PRIMARY KEY (host, group_id, jid));
CREATE INDEX IF NOT EXISTS members_jid ON members (host, jid, group_id);

CREATE TABLE IF NOT EXISTS member_grants (
    host TEXT NOT NULL, group_id TEXT NOT NULL, jid TEXT NOT NULL, own TEXT NOT NULL,
    PRIMARY KEY (host, group_id, jid));

CREATE TABLE IF NOT EXISTS themes (
    host TEXT NOT NULL, theme_key TEXT NOT NULL, group_id TEXT NOT NULL, slug TEXT NOT NULL, room TEXT NOT NULL,
    name TEXT NOT NULL, restricted INT8 NOT NULL, creator TEXT NOT NULL, created INT8 NOT NULL, closed INT8 NOT NULL,
    archived INT8 NOT NULL DEFAULT 0, source_room TEXT NOT NULL DEFAULT '', source_id INT8 NOT NULL DEFAULT 0,
    thread TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (host, theme_key));
CREATE INDEX IF NOT EXISTS themes_group ON themes (host, group_id, created);

CREATE TABLE IF NOT EXISTS theme_people (
    host TEXT NOT NULL, theme_key TEXT NOT NULL, jid TEXT NOT NULL, role TEXT NOT NULL, since INT8 NOT NULL,
    PRIMARY KEY (host, theme_key, jid));
CREATE INDEX IF NOT EXISTS theme_people_jid ON theme_people (host, jid);

CREATE TABLE IF NOT EXISTS follows (
    host TEXT NOT NULL, theme_key TEXT NOT NULL, owner TEXT NOT NULL, state TEXT NOT NULL, since INT8 NOT NULL,
    woken INT8 NOT NULL,
    PRIMARY KEY (host, theme_key, owner));
CREATE INDEX IF NOT EXISTS follows_owner ON follows (host, owner, theme_key);

CREATE TABLE IF NOT EXISTS teams (
    host TEXT NOT NULL, id TEXT NOT NULL, slug TEXT NOT NULL, name TEXT NOT NULL, emoji TEXT NOT NULL,
    description TEXT NOT NULL, mention_by TEXT NOT NULL, created INT8 NOT NULL, deleted INT8 NOT NULL,
    PRIMARY KEY (host, id));
CREATE UNIQUE INDEX IF NOT EXISTS teams_slug ON teams (host, slug);

CREATE TABLE IF NOT EXISTS team_members (
    host TEXT NOT NULL, team_id TEXT NOT NULL, name TEXT NOT NULL, since INT8 NOT NULL,
    PRIMARY KEY (host, team_id, name));
CREATE INDEX IF NOT EXISTS team_members_name ON team_members (host, name, team_id);

CREATE TABLE IF NOT EXISTS team_defaults (
    host TEXT NOT NULL, team_id TEXT NOT NULL, group_id TEXT NOT NULL,
    PRIMARY KEY (host, team_id, group_id));

CREATE TABLE IF NOT EXISTS group_teams (
    host TEXT NOT NULL, group_id TEXT NOT NULL, team_id TEXT NOT NULL, role TEXT NOT NULL,
    PRIMARY KEY (host, group_id, team_id));
CREATE INDEX IF NOT EXISTS group_teams_team ON group_teams (host, team_id, group_id);

CREATE TABLE IF NOT EXISTS shared (
    host TEXT NOT NULL, team TEXT NOT NULL, kind TEXT NOT NULL, name TEXT NOT NULL, body TEXT NOT NULL,
    creator TEXT NOT NULL, updated INT8 NOT NULL,
    PRIMARY KEY (host, team, kind, name));

-- Webhooks of groups.

CREATE TABLE IF NOT EXISTS webhooks (
    host TEXT NOT NULL, id TEXT NOT NULL, direction TEXT NOT NULL, name TEXT NOT NULL, group_id TEXT NOT NULL,
    theme TEXT NOT NULL, token BYTEA NOT NULL, url TEXT NOT NULL, secret TEXT NOT NULL, events TEXT NOT NULL,
    creator TEXT NOT NULL, created INT8 NOT NULL, disabled INT8 NOT NULL, last INT8 NOT NULL,
    PRIMARY KEY (host, id));
CREATE INDEX IF NOT EXISTS webhooks_token ON webhooks (token);

CREATE TABLE IF NOT EXISTS deliveries (
    host TEXT NOT NULL, hook TEXT NOT NULL, room TEXT NOT NULL, id INT8 NOT NULL, event TEXT NOT NULL,
    body BYTEA NOT NULL, state TEXT NOT NULL, attempts INT8 NOT NULL, status INT8 NOT NULL, error TEXT NOT NULL,
    updated INT8 NOT NULL,
    PRIMARY KEY (host, hook, room, id));
CREATE INDEX IF NOT EXISTS deliveries_state ON deliveries (host, state, hook, room, id);

CREATE TABLE IF NOT EXISTS hook_keys (
    host TEXT NOT NULL, hook TEXT NOT NULL, idem TEXT NOT NULL, id INT8 NOT NULL,
    PRIMARY KEY (host, hook, idem));

CREATE TABLE IF NOT EXISTS hook_begun (
    host TEXT NOT NULL, hook TEXT NOT NULL, idem TEXT NOT NULL, since INT8 NOT NULL,
    PRIMARY KEY (host, hook, idem));

-- Nodes (XEP-0060).

CREATE TABLE IF NOT EXISTS nodes (
    host TEXT NOT NULL, owner TEXT NOT NULL, name TEXT NOT NULL, config BYTEA, creator TEXT NOT NULL,
    created INT8 NOT NULL, expire INT8 NOT NULL DEFAULT 0, purge_offline INT8 NOT NULL DEFAULT 0,
    PRIMARY KEY (host, owner, name));
CREATE INDEX IF NOT EXISTS nodes_expire ON nodes (host, owner, name) WHERE expire > 0;

CREATE TABLE IF NOT EXISTS node_items (
    host TEXT NOT NULL, owner TEXT NOT NULL, node TEXT NOT NULL, id TEXT NOT NULL, seq INT8 NOT NULL,
    publisher TEXT NOT NULL, payload BYTEA,
    PRIMARY KEY (host, owner, node, id));
CREATE INDEX IF NOT EXISTS node_items_seq ON node_items (host, owner, node, seq);

CREATE TABLE IF NOT EXISTS node_affiliations (
    host TEXT NOT NULL, owner TEXT NOT NULL, node TEXT NOT NULL, jid TEXT NOT NULL, affiliation TEXT NOT NULL,
    PRIMARY KEY (host, owner, node, jid));
CREATE INDEX IF NOT EXISTS node_affiliations_jid ON node_affiliations (host, owner, jid);

CREATE TABLE IF NOT EXISTS node_subscriptions (
    host TEXT NOT NULL, owner TEXT NOT NULL, node TEXT NOT NULL, jid TEXT NOT NULL, bare TEXT NOT NULL,
    subid TEXT NOT NULL, state TEXT NOT NULL,
    PRIMARY KEY (host, owner, node, jid));
CREATE INDEX IF NOT EXISTS node_subscriptions_bare ON node_subscriptions (host, owner, bare);

CREATE TABLE IF NOT EXISTS node_options (
    host TEXT NOT NULL, owner TEXT NOT NULL, node TEXT NOT NULL, jid TEXT NOT NULL, options BYTEA,
    expires INT8 NOT NULL,
    PRIMARY KEY (host, owner, node, jid));
CREATE INDEX IF NOT EXISTS node_options_expires ON node_options (host, expires);

CREATE TABLE IF NOT EXISTS node_redirects (
    host TEXT NOT NULL, owner TEXT NOT NULL, name TEXT NOT NULL, uri TEXT NOT NULL, created INT8 NOT NULL,
    PRIMARY KEY (host, owner, name));

CREATE TABLE IF NOT EXISTS node_usage (
    host TEXT NOT NULL, owner TEXT NOT NULL, bytes INT8 NOT NULL,
    PRIMARY KEY (host, owner));

CREATE TABLE IF NOT EXISTS node_shares (
    host TEXT NOT NULL, creator TEXT NOT NULL, bytes INT8 NOT NULL,
    PRIMARY KEY (host, creator));

-- Uploaded files.

CREATE TABLE IF NOT EXISTS uploads (
    host TEXT NOT NULL, id TEXT NOT NULL, owner TEXT NOT NULL, name TEXT NOT NULL, content_type TEXT NOT NULL,
    size INT8 NOT NULL, created INT8 NOT NULL, expires INT8 NOT NULL, done INT8 NOT NULL,
    PRIMARY KEY (host, id));
CREATE INDEX IF NOT EXISTS uploads_expires ON uploads (host, expires);
CREATE INDEX IF NOT EXISTS uploads_owner ON uploads (host, owner);

CREATE TABLE IF NOT EXISTS upload_retractions (
    host TEXT NOT NULL, id TEXT NOT NULL, due INT8 NOT NULL,
    PRIMARY KEY (host, id));

-- Other servers.

CREATE TABLE IF NOT EXISTS domain_rules (
    domain TEXT NOT NULL PRIMARY KEY, action TEXT NOT NULL, note TEXT NOT NULL, since INT8 NOT NULL);

-- What administrators decide, and what was done.

CREATE TABLE IF NOT EXISTS settings (
    host TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL, since INT8 NOT NULL, changed_by TEXT NOT NULL,
    PRIMARY KEY (host, name));

CREATE TABLE IF NOT EXISTS audit_log (
    host TEXT NOT NULL, id INT8 NOT NULL, actor TEXT NOT NULL, action TEXT NOT NULL, target TEXT NOT NULL,
    detail TEXT NOT NULL, remote TEXT NOT NULL, door TEXT NOT NULL,
    PRIMARY KEY (host, id));
CREATE INDEX IF NOT EXISTS audit_log_target ON audit_log (host, target, id);

-- The deployment.

CREATE TABLE IF NOT EXISTS kv (
    host TEXT NOT NULL, k TEXT NOT NULL, v BYTEA NOT NULL,
    PRIMARY KEY (host, k));

CREATE TABLE IF NOT EXISTS versions (
    host TEXT NOT NULL, kind TEXT NOT NULL, id TEXT NOT NULL, version INT8 NOT NULL,
    PRIMARY KEY (host, kind, id));

CREATE TABLE IF NOT EXISTS id_marks (
    node TEXT NOT NULL PRIMARY KEY, upto INT8 NOT NULL);

CREATE TABLE IF NOT EXISTS cluster_nodes (
    id TEXT NOT NULL PRIMARY KEY, incarnation INT8 NOT NULL, address TEXT NOT NULL, scope TEXT NOT NULL,
    place TEXT NOT NULL, version TEXT NOT NULL, started INT8 NOT NULL, draining INT8 NOT NULL);

CREATE TABLE IF NOT EXISTS cluster_leases (
    id TEXT NOT NULL PRIMARY KEY, incarnation INT8 NOT NULL, until INT8 NOT NULL);
