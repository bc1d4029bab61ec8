-- The session logs of a bucket as one table, for Amazon Athena (engine 3) and all that shares its catalogue.
-- Replace BUCKET twice. Nothing is copied or moved: each log is one line of JSON where it lies, and each query lists the
-- months that it asks for. Companions lie beside the years, so that no query meets them. What is free in form
-- (config.raw, results.metrics, native) is JSON as text: json_extract_scalar(results.metrics, '$.loss').
-- case.insensitive: keys there may differ in capitals alone, which would fail the query, hence a mapping for each name.
-- Made from the definition of the session log by test/fleet/athena.test.ts (vitest -u writes it anew).
CREATE EXTERNAL TABLE IF NOT EXISTS training_sessions (
  schemaversion bigint,
  session struct<id:string,name:string,status:string,startedat:string,endedat:string,version:string,revision:bigint,sealedby:string,framework:string,agent:struct<version:string,host:string>>,
  `user` struct<username:string,sessionstartedat:string>,
  pod struct<id:string,provider:string,gputype:string,gpucount:bigint,costperhour:double,currency:string,cost:double>,
  config struct<epochs:double,batchsize:double,learningrate:double,maxsteps:bigint,seed:bigint,model:string,dataset:string,raw:string>,
  results struct<durationseconds:double,epochscompleted:double,stepscompleted:bigint,checkpointssaved:array<struct<path:string,bytes:bigint,savedat:string>>,metrics:string,error:string>,
  history struct<columns:array<string>,`rows`:array<array<string>>,thinnedfrom:bigint>,
  companions array<struct<path:string,key:string,bytes:bigint,etag:string,partsize:bigint,crc32:string,crc64nvme:string,sha256:string,contenttype:string,truncated:boolean>>,
  missing array<struct<path:string,bytes:bigint,reason:string>>,
  excluded struct<files:bigint,bytes:bigint>,
  native string,
  provenance map<string,string>,
  warnings array<string>
)
PARTITIONED BY (year string, month string)
ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe'
WITH SERDEPROPERTIES (
  'case.insensitive' = 'FALSE',
  'mapping.schemaversion' = 'schemaVersion',
  'mapping.startedat' = 'startedAt',
  'mapping.endedat' = 'endedAt',
  'mapping.sealedby' = 'sealedBy',
  'mapping.sessionstartedat' = 'sessionStartedAt',
  'mapping.gputype' = 'gpuType',
  'mapping.gpucount' = 'gpuCount',
  'mapping.costperhour' = 'costPerHour',
  'mapping.batchsize' = 'batchSize',
  'mapping.learningrate' = 'learningRate',
  'mapping.maxsteps' = 'maxSteps',
  'mapping.durationseconds' = 'durationSeconds',
  'mapping.epochscompleted' = 'epochsCompleted',
  'mapping.stepscompleted' = 'stepsCompleted',
  'mapping.checkpointssaved' = 'checkpointsSaved',
  'mapping.savedat' = 'savedAt',
  'mapping.thinnedfrom' = 'thinnedFrom',
  'mapping.partsize' = 'partSize',
  'mapping.contenttype' = 'contentType'
)
STORED AS INPUTFORMAT 'org.apache.hadoop.mapred.TextInputFormat'
OUTPUTFORMAT 'org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat'
LOCATION 's3://BUCKET/training-logs/'
TBLPROPERTIES (
  'projection.enabled' = 'true',
  'projection.year.type' = 'integer',
  'projection.year.range' = '2015,2040',
  'projection.year.digits' = '4',
  'projection.month.type' = 'integer',
  'projection.month.range' = '1,12',
  'projection.month.digits' = '2',
  'storage.location.template' = 's3://BUCKET/training-logs/${year}/${month}/'
);
