import { sessionLogJsonSchema } from '../domain/session-log.ts';

/** What `trainlogd schema` prints, and what config/session-log.schema.json holds. */
export function schemaText(): string {
  return `${JSON.stringify(sessionLogJsonSchema(), null, 2)}\n`;
}
