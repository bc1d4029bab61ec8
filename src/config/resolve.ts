import type { z } from 'zod';
import { nearest } from './nearest.ts';
import { type Findings, quoteValue } from './problem.ts';
import { isOptionKey, type OptionKey, optionKeys, optionOf, type Values, variableOf } from './schema.ts';
import type { Layer, Setting, Source } from './source.ts';
import type { Variables } from './variables.ts';

export interface Resolved {
  /** Read values. An option with a problem has its default here, so that the other checks can go on. */
  readonly values: Values;
  readonly sources: Readonly<Record<OptionKey, Source>>;
  /** What was written for each option that is set. */
  readonly settings: Layer;
  /** Options whose value was refused. */
  readonly refused: ReadonlySet<OptionKey>;
}

/** Takes each option from the first layer that sets it, and reads it. Shadowed values are not looked at. */
export function resolveOptions(layers: readonly Layer[], findings: Findings): Resolved {
  const values: Record<string, unknown> = {};
  const sources: Partial<Record<OptionKey, Source>> = {};
  const settings = new Map<string, Setting>();
  const refused = new Set<OptionKey>();
  for (const key of optionKeys) {
    const setting = layers.map((layer) => layer.get(key)).find((found) => found !== undefined);
    const { type, default: standard } = optionOf(key);
    const read = setting ? type.schema.safeParse(setting.raw) : undefined;
    if (setting) settings.set(key, setting);
    if (setting && read && !read.success) {
      refused.add(key);
      const problem = [...new Set(reasons(read.error.issues)), `accepted: ${type.accepts}`].join('; ');
      findings.problems.push({ key, value: quoteValue(setting.raw), problem, at: setting.source.at });
    }
    values[key] = read?.success
      ? read.data
      : standard === undefined
        ? undefined
        : type.schema.parse(standard);
    sources[key] = setting?.source ?? { layer: 'default', at: 'default' };
  }
  // Each key was read by its own option's type: the table is what gives the record its type.
  return { values: values as Values, sources: sources as Record<OptionKey, Source>, settings, refused };
}

/** What `TRAINLOGD_` variables set. */
export function variableLayer(variables: Variables): Layer {
  return new Map(
    optionKeys.flatMap((key): [string, Setting][] => {
      const found = variables.get(variableOf(key));
      return found ? [[key, { raw: found.value, source: found.source }]] : [];
    }),
  );
}

/** What flags set. A key that is no option is a problem like any other. */
export function overrideLayer(overrides: Readonly<Record<string, unknown>>, findings: Findings): Layer {
  const source: Source = { layer: 'commandLine', at: 'command line' };
  const layer = new Map<string, Setting>();
  for (const [key, raw] of Object.entries(overrides)) {
    if (raw === undefined) continue;
    if (isOptionKey(key)) layer.set(key, { raw, source });
    else
      findings.problems.push({
        key,
        problem: `unknown key; did you mean ${nearest(key, optionKeys)}?`,
        at: source.at,
      });
  }
  return layer;
}

/** The reasons that our own checks gave, from whichever branch of a union they come. */
function reasons(issues: readonly z.core.$ZodIssue[]): string[] {
  return issues.flatMap((issue) => {
    if (issue.code === 'invalid_union') return issue.errors.flatMap(reasons);
    if (issue.code === 'unrecognized_keys') return [`unknown field ${issue.keys.join(', ')}`];
    return issue.code === 'custom' && issue.message !== '' ? [issue.message] : [];
  });
}
