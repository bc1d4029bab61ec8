-- Files that ended sessions should have in the bucket and have not, and why: where this is empty, everything arrived.
SELECT
  session.startedAt AS started_at,
  session.id AS id,
  session.agent.host AS host,
  session.status AS status,
  file.reason AS reason,
  file.path AS path,
  file.bytes AS bytes
FROM training_sessions
-- The next line in DuckDB: CROSS JOIN (SELECT unnest(missing, recursive := true)) AS file
CROSS JOIN UNNEST(missing) AS file (path, bytes, reason)
WHERE session.status <> 'running'
-- AND year = '2026' AND month = '01'   -- reads this month alone
ORDER BY session.startedAt DESC, session.id, file.path;
