-- The same table for DuckDB: then every query beside this file runs there as it stands. Replace BUCKET, or set a path:
-- a month ('s3://BUCKET/training-logs/2026/01/*.log'), or what a destination file:///path wrote ('/path/training-logs/...').
-- Made from the definition of the session log by test/fleet/athena.test.ts (vitest -u writes it anew).
CREATE OR REPLACE VIEW training_sessions AS
SELECT
  * EXCLUDE (filename),
  regexp_extract(filename, '/(\d{4})/(\d{2})/[^/]+$', 1) AS year,
  regexp_extract(filename, '/(\d{4})/(\d{2})/[^/]+$', 2) AS month
FROM
  read_json(
    's3://BUCKET/training-logs/20*/*/*.log',
    format = 'newline_delimited',
    filename = true,
    -- A log may be larger than sessionLog.bytesMax where it names very many files.
    maximum_object_size = 67108864,
    columns = {
      "schemaVersion": 'BIGINT',
      "session": 'STRUCT("id" VARCHAR, "name" VARCHAR, "status" VARCHAR, "startedAt" VARCHAR, "endedAt" VARCHAR, "version" VARCHAR, "revision" BIGINT, "sealedBy" VARCHAR, "framework" VARCHAR, "agent" STRUCT("version" VARCHAR, "host" VARCHAR))',
      "user": 'STRUCT("username" VARCHAR, "sessionStartedAt" VARCHAR)',
      "pod": 'STRUCT("id" VARCHAR, "provider" VARCHAR, "gpuType" VARCHAR, "gpuCount" BIGINT, "costPerHour" DOUBLE, "currency" VARCHAR, "cost" DOUBLE)',
      "config": 'STRUCT("epochs" DOUBLE, "batchSize" DOUBLE, "learningRate" DOUBLE, "maxSteps" BIGINT, "seed" BIGINT, "model" VARCHAR, "dataset" VARCHAR, "raw" JSON)',
      "results": 'STRUCT("durationSeconds" DOUBLE, "epochsCompleted" DOUBLE, "stepsCompleted" BIGINT, "checkpointsSaved" STRUCT("path" VARCHAR, "bytes" BIGINT, "savedAt" VARCHAR)[], "metrics" JSON, "error" VARCHAR)',
      "history": 'STRUCT("columns" VARCHAR[], "rows" VARCHAR[][], "thinnedFrom" BIGINT)',
      "companions": 'STRUCT("path" VARCHAR, "key" VARCHAR, "bytes" BIGINT, "etag" VARCHAR, "partSize" BIGINT, "crc32" VARCHAR, "crc64nvme" VARCHAR, "sha256" VARCHAR, "contentType" VARCHAR, "truncated" BOOLEAN)[]',
      "missing": 'STRUCT("path" VARCHAR, "bytes" BIGINT, "reason" VARCHAR)[]',
      "excluded": 'STRUCT("files" BIGINT, "bytes" BIGINT)',
      "native": 'JSON',
      "provenance": 'MAP(VARCHAR, VARCHAR)',
      "warnings": 'VARCHAR[]'
    }
  );
