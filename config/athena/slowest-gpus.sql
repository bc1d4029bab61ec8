-- Hosts whose GPUs do the same work more slowly than the same GPUs elsewhere: a card that throttles, a slow disk, a
-- wrong driver. Compared are completed runs of one model, dataset and batch size on as many GPUs of one type. Hosts
-- that have nobody to be compared with are left out. `percent_of_others` is 100 where a host is as fast as the others.
WITH runs AS (
  SELECT
    session.agent.host AS host,
    pod.gpuType AS gpu_type,
    pod.gpuCount AS gpus,
    config.model AS model,
    config.dataset AS dataset,
    config.batchSize AS batch_size,
    results.stepsCompleted / results.durationSeconds AS steps_per_second
  FROM training_sessions
  WHERE session.status = 'completed'
    -- AND year = '2026' AND month = '01'   -- reads this month alone
    AND pod.gpuType IS NOT NULL
    AND config.model IS NOT NULL
    AND results.stepsCompleted > 0
    AND results.durationSeconds > 0
),
hosts AS (
  SELECT
    host, gpu_type, gpus, model, dataset, batch_size,
    count(*) AS sessions,
    avg(steps_per_second) AS steps_per_second
  FROM runs
  GROUP BY 1, 2, 3, 4, 5, 6
),
peers AS (
  SELECT
    host, gpu_type, gpus, model, dataset, batch_size, sessions, steps_per_second,
    sum(steps_per_second) OVER (PARTITION BY gpu_type, gpus, model, dataset, batch_size) AS of_all,
    count(*) OVER (PARTITION BY gpu_type, gpus, model, dataset, batch_size) AS host_count
  FROM hosts
)
SELECT
  host, gpu_type, gpus, model, dataset, batch_size, sessions,
  steps_per_second,
  (of_all - steps_per_second) / (host_count - 1) AS steps_per_second_elsewhere,
  100 * steps_per_second * (host_count - 1) / (of_all - steps_per_second) AS percent_of_others
FROM peers
WHERE host_count > 1
ORDER BY percent_of_others, host
LIMIT 100;
