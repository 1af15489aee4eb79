-- One result of an action for each session: what a job has not reached yet is replaced by what came of it. What is left
-- after a restart is what is still not reached.

DELETE FROM audit_result WHERE id NOT IN (SELECT max(id) FROM audit_result GROUP BY action_id, session);
DROP INDEX audit_result_action;
CREATE UNIQUE INDEX audit_result_once ON audit_result (action_id, session);
CREATE INDEX audit_result_left ON audit_result (action_id) WHERE result = 'not reached';
