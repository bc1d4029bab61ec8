-- Runs that failed, or ended without a result, the latest first: who, where, how long, for how much, and the error.
SELECT
  session.startedAt AS started_at,
  session.id AS id,
  coalesce(session.name, session.id) AS name,
  session.status AS status,
  "user".username AS username,
  session.agent.host AS host,
  pod.gpuType AS gpu_type,
  results.durationSeconds / 3600 AS hours,
  pod.cost AS cost,
  pod.currency AS currency,
  results.error AS error
FROM training_sessions
WHERE session.status IN ('failed', 'interrupted')
-- AND year = '2026' AND month = '01'   -- reads this month alone
ORDER BY session.startedAt DESC, session.id
LIMIT 500;
