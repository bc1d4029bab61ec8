import { sessionLogJsonSchema } from '../../src/domain/session-log.ts';

/** What of JSON Schema the session log uses. */
interface Field {
  readonly type?: string | readonly string[];
  readonly const?: number;
  readonly items?: Field;
  readonly properties?: Readonly<Record<string, Field>>;
  readonly additionalProperties?: boolean | Field;
}

/** How an engine spells its types. */
interface Dialect {
  readonly scalars: Readonly<Record<'string' | 'integer' | 'number' | 'boolean', string>>;
  /** Any JSON, kept as it is. */
  readonly json: string;
  readonly list: (item: string) => string;
  readonly map: (value: string) => string;
  readonly struct: (fields: readonly (readonly [name: string, type: string])[]) => string;
}

/** Words that Hive's grammar keeps for itself. */
const hiveReserved = new Set(['user', 'rows']);
const hiveName = (name: string) => (hiveReserved.has(name) ? `\`${name}\`` : name.toLowerCase());

const hive: Dialect = {
  scalars: { string: 'string', integer: 'bigint', number: 'double', boolean: 'boolean' },
  json: 'string',
  list: (item) => `array<${item}>`,
  map: (value) => `map<string,${value}>`,
  struct: (fields) => `struct<${fields.map(([name, type]) => `${hiveName(name)}:${type}`).join(',')}>`,
};

const duckdb: Dialect = {
  scalars: { string: 'VARCHAR', integer: 'BIGINT', number: 'DOUBLE', boolean: 'BOOLEAN' },
  json: 'JSON',
  list: (item) => `${item}[]`,
  map: (value) => `MAP(VARCHAR, ${value})`,
  struct: (fields) => `STRUCT(${fields.map(([name, type]) => `"${name}" ${type}`).join(', ')})`,
};

function typeOf(field: Field, dialect: Dialect): string {
  const { scalars, list, map, struct, json } = dialect;
  if (field.properties)
    return struct(Object.entries(field.properties).map(([name, below]) => [name, typeOf(below, dialect)]));
  if (field.items) return list(typeOf(field.items, dialect));
  // A cell of the history: number, text or nothing.
  if (Array.isArray(field.type)) return scalars.string;
  if (typeof field.additionalProperties === 'object') {
    const { type } = field.additionalProperties;
    return type === undefined ? json : map(typeOf(field.additionalProperties, dialect));
  }
  if (Number.isInteger(field.const)) return scalars.integer;
  const known = Object.entries(scalars).find(([name]) => name === field.type);
  if (!known)
    throw new Error(`render a column of ${JSON.stringify(field)}: no type of a table is known for it`);
  return known[1];
}

const schema = sessionLogJsonSchema() as Field;
const columns = Object.entries(schema.properties ?? {});

/** Names in capitals need a line of their own: Hive knows small letters alone. */
export function camelCaseNames({ properties = {}, items }: Field = schema): string[] {
  const below = [...Object.values(properties), ...(items ? [items] : [])].flatMap(camelCaseNames);
  const own = Object.keys(properties).filter((name) => name !== name.toLowerCase());
  return [...new Set([...own, ...below])];
}

export function createTable(): string {
  const mappings = camelCaseNames().map((name) => `  'mapping.${name.toLowerCase()}' = '${name}'`);
  return `-- The session logs of a bucket as one table, for Amazon Athena (engine 3) and all that shares its catalogue.
-- Replace BUCKET twice. Nothing is copied or moved: each log is one line of JSON where it lies, and each query lists the
-- months that it asks for. Companions lie beside the years, so that no query meets them. What is free in form
-- (config.raw, results.metrics, native) is JSON as text: json_extract_scalar(results.metrics, '$.loss').
-- case.insensitive: keys there may differ in capitals alone, which would fail the query, hence a mapping for each name.
-- Made from the definition of the session log by test/fleet/athena.test.ts (vitest -u writes it anew).
CREATE EXTERNAL TABLE IF NOT EXISTS training_sessions (
${columns.map(([name, field]) => `  ${hiveName(name)} ${typeOf(field, hive)}`).join(',\n')}
)
PARTITIONED BY (year string, month string)
ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe'
WITH SERDEPROPERTIES (
  'case.insensitive' = 'FALSE',
${mappings.join(',\n')}
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
  'storage.location.template' = 's3://BUCKET/training-logs/\${year}/\${month}/'
);
`;
}

export function duckdbView(): string {
  const typed = columns.map(([name, field]) => `      "${name}": '${typeOf(field, duckdb)}'`);
  return `-- The same table for DuckDB: then every query beside this file runs there as it stands. Replace BUCKET, or set a path:
-- a month ('s3://BUCKET/training-logs/2026/01/*.log'), or what a destination file:///path wrote ('/path/training-logs/...').
-- Made from the definition of the session log by test/fleet/athena.test.ts (vitest -u writes it anew).
CREATE OR REPLACE VIEW training_sessions AS
SELECT
  * EXCLUDE (filename),
  regexp_extract(filename, '/(\\d{4})/(\\d{2})/[^/]+$', 1) AS year,
  regexp_extract(filename, '/(\\d{4})/(\\d{2})/[^/]+$', 2) AS month
FROM
  read_json(
    's3://BUCKET/training-logs/20*/*/*.log',
    format = 'newline_delimited',
    filename = true,
    -- A log may be larger than sessionLog.bytesMax where it names very many files.
    maximum_object_size = 67108864,
    columns = {
${typed.join(',\n')}
    }
  );
`;
}
