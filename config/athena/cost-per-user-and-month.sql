-- What training cost, by user and month. `cost` is the sum of what has a price: `sessions_without_cost` says how many
-- have none, because neither the host, `defaults.costPerHour` nor session.json knew it.
SELECT
  year,
  month,
  coalesce("user".username, '(unknown)') AS username,
  pod.currency AS currency,
  count(*) AS sessions,
  sum(results.durationSeconds) / 3600 AS hours,
  sum(results.durationSeconds * pod.gpuCount) / 3600 AS gpu_hours,
  sum(pod.cost) AS cost,
  sum(CASE WHEN pod.cost IS NULL THEN 1 ELSE 0 END) AS sessions_without_cost
FROM training_sessions
-- WHERE year = '2026' AND month = '01'   -- reads this month alone
GROUP BY 1, 2, 3, 4
ORDER BY year DESC, month DESC, cost DESC NULLS LAST, username;
