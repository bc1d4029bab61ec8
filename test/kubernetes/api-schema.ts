import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

type Definitions = NonNullable<Exclude<Parameters<typeof z.fromJSONSchema>[0], boolean>['$defs']>;

/** What test/kubernetes/make-schema.ts made. */
const { kinds, $defs } = JSON.parse(
  readFileSync(join(import.meta.dirname, '..', 'fixtures', 'kubernetes', 'schema.json'), 'utf8'),
) as { kinds: Readonly<Record<string, string>>; $defs: Definitions };

/** What the API server would refuse in a document; none when it would take it. */
export function refusals(document: unknown): string[] {
  const { apiVersion, kind } = z.looseObject({ apiVersion: z.string(), kind: z.string() }).parse(document);
  const definition = kinds[`${apiVersion}/${kind}`];
  if (definition === undefined) return [`no kind ${kind} is known of ${apiVersion}`];
  const schema = z.fromJSONSchema({ $ref: `#/$defs/${definition}`, $defs });
  const { error } = schema.safeParse(document);
  return (error?.issues ?? []).map(({ path, message }) => `${path.join('.')}: ${message}`);
}
