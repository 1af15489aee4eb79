-- The audit log. An action is shown at its first row, with its newest outcome.

-- name: append
INSERT INTO audit (
    id, at, action_id, phase, actor, role, kind, address, action, target, reason, outcome, detail, prev_hash, hash
) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)

-- name: newest_id
SELECT coalesce(max(id), 0) FROM audit

-- name: all
SELECT
    id, at, action_id, phase, actor, role, kind, address, action, target, reason, outcome, detail, prev_hash, hash
FROM audit ORDER BY id

-- name: actions
SELECT
    id, at, action_id, phase, actor, role, kind, address, action, target, reason, outcome, detail, prev_hash, hash
FROM audit a
WHERE id = (SELECT min(b.id) FROM audit b WHERE b.action_id = a.action_id) {conditions}
ORDER BY id DESC LIMIT :limit

-- name: outcome
SELECT
    id, at, action_id, phase, actor, role, kind, address, action, target, reason, outcome, detail, prev_hash, hash
FROM audit WHERE action_id = ? AND phase = 'outcome' ORDER BY id DESC LIMIT 1

-- name: add_result
INSERT INTO audit_result (at, action_id, session, result) VALUES (?, ?, ?, ?)
ON CONFLICT (action_id, session) DO UPDATE SET at = excluded.at, result = excluded.result

-- name: unfinished
-- The condition is a literal: only so is its index used.
SELECT r.action_id FROM audit_result r JOIN audit a ON a.action_id = r.action_id
WHERE r.result = 'not reached' GROUP BY r.action_id ORDER BY min(a.id) DESC LIMIT ?

-- name: results
SELECT session, result FROM audit_result
WHERE action_id = :action_id AND session > :after AND (:result IS NULL OR result = :result)
ORDER BY session LIMIT :limit

-- name: result_counts
SELECT result, count(*) FROM audit_result WHERE action_id = ? GROUP BY result ORDER BY count(*) DESC, result

-- name: drop_old_results
DELETE FROM audit_result WHERE id IN (
    SELECT id FROM audit_result WHERE id < (SELECT coalesce(min(id), 9e18) FROM audit_result WHERE at > :before)
    ORDER BY id LIMIT :limit
)
