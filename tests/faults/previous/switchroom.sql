PRAGMA application_id = 1398231601;
PRAGMA user_version = 2;
BEGIN TRANSACTION;
CREATE TABLE audit (
    id INTEGER PRIMARY KEY,
    at REAL NOT NULL,
    action_id TEXT NOT NULL,
    phase TEXT NOT NULL,
    actor TEXT NOT NULL,
    role TEXT NOT NULL,
    kind TEXT NOT NULL,
    address TEXT NOT NULL,
    action TEXT NOT NULL,
    target TEXT NOT NULL,
    reason TEXT NOT NULL,
    outcome TEXT NOT NULL,
    detail TEXT NOT NULL,
    prev_hash BLOB NOT NULL,
    hash BLOB NOT NULL
) STRICT;
INSERT INTO "audit" VALUES(1,1.79561727353225922577e+09,'D24V10JNZYKC8','intent','before','admin','token','127.0.0.1','broadcast','(all live sessions)','','started','{}',X'0000000000000000000000000000000000000000000000000000000000000000',X'BB17767A31009714DAF14C62899C89CD7C6699BCCD45A1B047821631F4C88BC0');
INSERT INTO "audit" VALUES(2,1.79561727355511713028e+09,'D24V10JNZYKC8','outcome','before','admin','token','127.0.0.1','broadcast','(all live sessions)','','done','{"broadcast": "3JD560N6E35Z7", "audience": 2, "level": "info"}',X'BB17767A31009714DAF14C62899C89CD7C6699BCCD45A1B047821631F4C88BC0',X'2FB01F8EA29D7557C847D301B1121357CA6B75849E74ED4A9C86D64A083751F0');
INSERT INTO "audit" VALUES(3,1.79561727369854402542e+09,'2QP2Z16W12EKK','intent','before','admin','token','127.0.0.1','expire','3982394XJHF52','before the upgrade','started','{}',X'2FB01F8EA29D7557C847D301B1121357CA6B75849E74ED4A9C86D64A083751F0',X'EAECE28207F265EF8EC3D5B26D0A402A6A7FD17A2583272F55159D9D023222F5');
INSERT INTO "audit" VALUES(4,1.79561727370084095001e+09,'2QP2Z16W12EKK','outcome','before','admin','token','127.0.0.1','expire','3982394XJHF52','before the upgrade','done','{"expired": 1, "already_ended": 0, "failed": 0, "calls_ended": 0, "streams_closed": 0, "sessions": {"3982394XJHF52": "expired"}}',X'EAECE28207F265EF8EC3D5B26D0A402A6A7FD17A2583272F55159D9D023222F5',X'3C62633C51FAE6C5D3DF40490B5B9E040761E98CAE1EB04F70AD17BA4FC8DF12');
CREATE TABLE broadcast (
    no INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    created REAL NOT NULL,
    actor TEXT NOT NULL,
    text TEXT NOT NULL,
    level TEXT NOT NULL,
    filter TEXT NOT NULL,
    exclude TEXT NOT NULL,
    status TEXT NOT NULL,
    audience INTEGER NOT NULL,
    expires REAL NOT NULL,
    idempotency_key TEXT UNIQUE
) STRICT;
INSERT INTO "broadcast" VALUES(1,'3JD560N6E35Z7',1.79561727355033016201e+09,'before','before the upgrade','info','','','done',2,1.79561787355033016205e+09,NULL);
CREATE TABLE ended_id (
    no INTEGER PRIMARY KEY,
    sid_hash BLOB NOT NULL UNIQUE,
    sref TEXT NOT NULL,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    server TEXT NOT NULL,
    client TEXT NOT NULL,
    client_version TEXT NOT NULL,
    principal_key TEXT,
    end_code TEXT,
    end_by TEXT,
    end_reason TEXT,
    ended REAL NOT NULL
) STRICT;
CREATE TABLE event (
    id INTEGER PRIMARY KEY,          -- order of appending, over all sessions
    session INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    at REAL NOT NULL,
    direction TEXT NOT NULL,
    kind TEXT NOT NULL,
    method TEXT,
    stream INTEGER,
    request_id TEXT,
    size INTEGER NOT NULL,
    duration_us INTEGER,
    error_code INTEGER,
    related_seq INTEGER,
    expires REAL,
    payload TEXT,
    start INTEGER NOT NULL           -- bytes of the session's log before this event, dropped ones included
) STRICT;
INSERT INTO "event" VALUES(1,1,1,1,1.79561727168832349771e+09,'local','lifecycle','initializing',NULL,NULL,45,NULL,NULL,NULL,NULL,'{"to": "initializing", "cause": "initialize"}',0);
INSERT INTO "event" VALUES(2,1,2,1,1.7956172716885268688e+09,'from_client','request','initialize',2,'0',158,NULL,NULL,NULL,NULL,'{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"from-before","version":"1.0"}}}',173);
INSERT INTO "event" VALUES(3,1,3,1,1.79561727168905735018e+09,'from_server','response','initialize',2,'0',364,513,NULL,2,NULL,'{"jsonrpc":"2.0","id":0,"result":{"capabilities":{"logging":{},"prompts":{"listChanged":false},"resources":{"listChanged":false,"subscribe":false},"tools":{"listChanged":false}},"instructions":"Tools that show what sessions can do. In MCP 2026-07-28 call open_session first.","protocolVersion":"2025-11-25","serverInfo":{"name":"switchroom-bundled","version":""}}}',459);
INSERT INTO "event" VALUES(4,1,4,1,1.79561727183694291119e+09,'from_client','notification','notifications/initialized',NULL,NULL,54,NULL,NULL,NULL,NULL,'{"jsonrpc":"2.0","method":"notifications/initialized"}',951);
INSERT INTO "event" VALUES(5,1,5,1,1.79561727183702278141e+09,'local','lifecycle','initialized',NULL,NULL,83,NULL,NULL,NULL,NULL,'{"from": "initializing", "to": "initialized", "cause": "notifications/initialized"}',1133);
INSERT INTO "event" VALUES(6,1,6,1,1.79561727186375594137e+09,'from_client','request','tools/call',6,'100',134,NULL,NULL,NULL,NULL,'{"jsonrpc":"2.0","id":100,"method":"tools/call","params":{"name":"set_session_data","arguments":{"key":"kept","value":"since 0.1.0"}}}',1344);
INSERT INTO "event" VALUES(7,1,7,1,1.79561727189432501793e+09,'local','key','set',NULL,NULL,46,NULL,NULL,NULL,NULL,'{"change": "set", "key": "kept", "version": 1}',1606);
INSERT INTO "event" VALUES(8,1,8,1,1.79561727189484143254e+09,'from_server','response','tools/call',6,'100',199,31032,NULL,6,NULL,'{"jsonrpc":"2.0","id":100,"result":{"content":[{"text":"Stored kept = since 0.1.0 (version 1)","type":"text"}],"isError":false,"structuredContent":{"result":"Stored kept = since 0.1.0 (version 1)"}}}',1780);
INSERT INTO "event" VALUES(9,1,9,1,1.79561727194793033604e+09,'from_client','request','tools/call',9,'101',102,NULL,NULL,NULL,NULL,'{"jsonrpc":"2.0","id":101,"method":"tools/call","params":{"name":"echo","arguments":{"text":"hello"}}}',2107);
INSERT INTO "event" VALUES(10,1,10,1,1.79561727194864964489e+09,'from_server','response','tools/call',9,'101',135,653,NULL,9,NULL,'{"jsonrpc":"2.0","id":101,"result":{"content":[{"text":"hello","type":"text"}],"isError":false,"structuredContent":{"result":"hello"}}}',2337);
INSERT INTO "event" VALUES(11,2,1,1,1.79561727199775362012e+09,'local','lifecycle','initializing',NULL,NULL,45,NULL,NULL,NULL,NULL,'{"to": "initializing", "cause": "initialize"}',0);
INSERT INTO "event" VALUES(12,2,2,1,1.79561727199792742727e+09,'from_client','request','initialize',2,'0',159,NULL,NULL,NULL,NULL,'{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"ended-before","version":"1.0"}}}',173);
INSERT INTO "event" VALUES(13,2,3,1,1.79561727199837136269e+09,'from_server','response','initialize',2,'0',364,432,NULL,2,NULL,'{"jsonrpc":"2.0","id":0,"result":{"capabilities":{"logging":{},"prompts":{"listChanged":false},"resources":{"listChanged":false,"subscribe":false},"tools":{"listChanged":false}},"instructions":"Tools that show what sessions can do. In MCP 2026-07-28 call open_session first.","protocolVersion":"2025-11-25","serverInfo":{"name":"switchroom-bundled","version":""}}}',460);
INSERT INTO "event" VALUES(14,2,4,1,1.79561727204089021684e+09,'from_client','notification','notifications/initialized',NULL,NULL,54,NULL,NULL,NULL,NULL,'{"jsonrpc":"2.0","method":"notifications/initialized"}',952);
INSERT INTO "event" VALUES(15,2,5,1,1.79561727204094457623e+09,'local','lifecycle','initialized',NULL,NULL,83,NULL,NULL,NULL,NULL,'{"from": "initializing", "to": "initialized", "cause": "notifications/initialized"}',1134);
INSERT INTO "event" VALUES(16,1,11,1,1.79561727355526137353e+09,'from_server','notification','notifications/message',0,NULL,126,NULL,NULL,NULL,1.79561787355033016205e+09,'{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","logger":"switchroom","data":"before the upgrade"}}',2600);
INSERT INTO "event" VALUES(17,2,6,1,1.79561727355552864073e+09,'from_server','notification','notifications/message',0,NULL,126,NULL,NULL,NULL,1.79561787355033016205e+09,'{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","logger":"switchroom","data":"before the upgrade"}}',1345);
INSERT INTO "event" VALUES(18,2,7,1,1.79561727369954967498e+09,'local','operator','expire',NULL,NULL,48,NULL,NULL,NULL,NULL,'{"by": "before", "reason": "before the upgrade"}',1599);
INSERT INTO "event" VALUES(19,2,8,1,1.79561727369984149935e+09,'local','lifecycle','expired',NULL,NULL,86,NULL,NULL,NULL,NULL,'{"to": "expired", "cause": "operator", "by": "before", "reason": "before the upgrade"}',1775);
CREATE TABLE kv (
    session INTEGER NOT NULL,
    name BLOB NOT NULL,              -- UTF-8 with surrogates, so that any two different names stay different
    value TEXT,
    sealed BLOB,
    key_id TEXT,
    version INTEGER NOT NULL,
    size INTEGER NOT NULL,
    updated REAL NOT NULL,
    expires REAL,
    PRIMARY KEY (session, name)
) STRICT, WITHOUT ROWID;
INSERT INTO "kv" VALUES(1,X'6B657074','"since 0.1.0"',NULL,NULL,1,13,1.79561727187764716149e+09,NULL);
CREATE TABLE meta (
    name TEXT PRIMARY KEY,
    value ANY NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO "meta" VALUES('audit_head',X'343A3C62633C51FAE6C5D3DF40490B5B9E040761E98CAE1EB04F70AD17BA4FC8DF125449DCA45B04C45996EFE8E36E97FB44823F0B263453A5768408728E31E015D1');
INSERT INTO "meta" VALUES('highest_no',2);
INSERT INTO "meta" VALUES('synced_at',1795617272.1199);
CREATE TABLE receipt (
    broadcast INTEGER NOT NULL,
    session TEXT NOT NULL,
    status TEXT NOT NULL,
    at REAL NOT NULL,
    reason TEXT,
    seq INTEGER,
    PRIMARY KEY (broadcast, session)
) STRICT, WITHOUT ROWID;
INSERT INTO "receipt" VALUES(1,'36BG0JY4Q4NQR','queued',1.79561727355529618258e+09,'no stream is open; sent with the next one',11);
INSERT INTO "receipt" VALUES(1,'3982394XJHF52','failed',1795617273.69992,'no stream was opened in time, or the session ended',6);
CREATE TABLE receipt_count (
    broadcast INTEGER NOT NULL,
    status TEXT NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (broadcast, status)
) STRICT, WITHOUT ROWID;
INSERT INTO "receipt_count" VALUES(1,'failed',1);
INSERT INTO "receipt_count" VALUES(1,'pending',0);
INSERT INTO "receipt_count" VALUES(1,'queued',1);
CREATE TABLE session (
    no INTEGER PRIMARY KEY,
    sref TEXT NOT NULL,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    server TEXT NOT NULL,
    worker TEXT NOT NULL,
    created REAL NOT NULL,
    last_activity REAL NOT NULL,
    sid_hash BLOB,
    sid_prefix TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    epochs TEXT NOT NULL,            -- JSON: [[epoch, first seq], …]
    principal TEXT,
    principal_key TEXT,
    client TEXT NOT NULL,
    client_version TEXT NOT NULL,
    protocol TEXT NOT NULL,
    address TEXT NOT NULL,
    init TEXT,
    is_initialized INTEGER NOT NULL,
    ended REAL,
    end_code TEXT,
    end_by TEXT,
    end_reason TEXT,
    requests INTEGER NOT NULL,
    errors INTEGER NOT NULL,
    keys INTEGER NOT NULL,
    bytes_in INTEGER NOT NULL,
    bytes_out INTEGER NOT NULL,
    trimmed_seq INTEGER NOT NULL,
    delivered_seq INTEGER NOT NULL,
    log_level TEXT,
    idle_seconds REAL,
    lifetime_seconds REAL
) STRICT;
INSERT INTO "session" VALUES(1,'36BG0JY4Q4NQR','streamable-http','initialized','switchroom-bundled','w-ew3vkc',1.79561727168814325335e+09,1.79561727194787383076e+09,X'18781516AA248D7A22B9760AC34BAA867319CC8AAF6BD08FD08AEAB5842EF887','f9d8f394',1,'[[1, 1]]',NULL,NULL,'from-before','1.0','2025-11-25','127.0.0.1','{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"from-before","version":"1.0"}}',1,NULL,NULL,NULL,NULL,3,0,1,490,698,0,0,NULL,NULL,NULL);
INSERT INTO "session" VALUES(2,'3982394XJHF52','streamable-http','expired','switchroom-bundled','w-ew3vkc',1795617271.99759,1.79561727204085636142e+09,X'D4B700B2FC362501511A364E8EB7701BD39940318E58B754ACDB8FE32FA0A2DF','cd7c83b8',1,'[[1, 1]]',NULL,NULL,'ended-before','1.0','2025-11-25','127.0.0.1','{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"ended-before","version":"1.0"}}',1,1.79561727369960522646e+09,'operator','before','before the upgrade',1,0,0,231,364,0,0,NULL,NULL,NULL);
CREATE INDEX session_sref ON session (sref);
CREATE INDEX session_sid_hash ON session (sid_hash) WHERE sid_hash IS NOT NULL;
CREATE INDEX session_ended ON session (last_activity, sref) WHERE state IN ('rejected', 'closed', 'expired');
CREATE INDEX session_live ON session (no) WHERE state NOT IN ('rejected', 'closed', 'expired');
CREATE UNIQUE INDEX event_session_seq ON event (session, seq);
CREATE INDEX kv_expires ON kv (expires) WHERE expires IS NOT NULL;
CREATE INDEX audit_action_id ON audit (action_id, id);
CREATE INDEX audit_actor ON audit (actor, id);
CREATE INDEX audit_target ON audit (target, id);
CREATE INDEX receipt_queued ON receipt (broadcast, session) WHERE status = 'queued';
CREATE TRIGGER receipt_settled AFTER UPDATE OF status ON receipt WHEN old.status <> new.status
BEGIN
    UPDATE receipt_count SET count = count - 1 WHERE broadcast = old.broadcast AND status = old.status;
    INSERT INTO receipt_count (broadcast, status, count) VALUES (new.broadcast, new.status, 1)
    ON CONFLICT DO UPDATE SET count = count + 1;
END;
CREATE INDEX ended_id_ended ON ended_id (ended);
COMMIT;
