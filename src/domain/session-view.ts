import { reckon } from './compose-log.ts';
import { lossOf, thinPoints } from './curves.ts';
import type { Facts } from './facts.ts';
import { type History, thinHistory } from './history.ts';
import { mergeFacts } from './merge-facts.ts';
import type { SessionDraft } from './session-draft.ts';
import type { ExcludedSection, PodSection, SessionStatus } from './session-log.ts';

/**
 * What is kept of a session for people to look at once its log is in the bucket: bounded, redacted as the log is. The
 * log itself is the whole truth; this is enough for a page.
 */
export interface SessionBrief {
  readonly name: string;
  readonly status: SessionStatus;
  readonly framework?: string;
  readonly user?: string;
  /** RFC 3339; absent while it runs. */
  readonly endedAt?: string;
  readonly durationSeconds?: number;
  /** Values of a loss in the order of its steps, a few dozen. */
  readonly loss?: { readonly name: string; readonly values: readonly number[] };
}

export interface SessionDetail {
  readonly sealedBy?: string;
  readonly version?: string;
  readonly pod?: PodSection;
  readonly config: Listing;
  readonly metrics: Listing;
  readonly epochsCompleted?: number;
  readonly stepsCompleted?: number;
  readonly checkpoints: number;
  readonly error?: string;
  readonly history?: History;
  readonly excluded: ExcludedSection;
  readonly warnings: readonly string[];
  readonly warningsMore: number;
}

/** Nested values as a flat list, cut to what a page can hold. */
export interface Listing {
  readonly entries: readonly (readonly [name: string, value: string])[];
  /** How many were left out. */
  readonly more: number;
}

const lossValuesMax = 40;
const textMax = 200;
const errorMax = 2000;
const entriesMax = 200;
const warningsMax = 50;
const historyBytesMax = 32 * 1024;

type Identity = Parameters<typeof reckon>[2];

export function viewOf(
  draft: SessionDraft,
  identity: Identity,
): { readonly brief: SessionBrief; readonly detail: SessionDetail } {
  const merged = mergeFacts([...draft.sources, ...(draft.defaults ? [draft.defaults] : []), draft.inferred]);
  const { facts } = reckon(merged.facts, merged.provenance, identity, draft.checkpoints);
  return { brief: briefOf(draft, facts), detail: detailOf(draft, facts, identity) };
}

function briefOf(draft: SessionDraft, { framework, user, endedAt, results, history }: Facts): SessionBrief {
  const loss = history && lossOf(history);
  const values = loss && thinPoints(loss.points, lossValuesMax).map(([, y]) => Number(y.toPrecision(4)));
  const hasEnded = draft.status !== 'running';
  return {
    name: cut(draft.name),
    status: draft.status,
    ...(framework !== undefined && { framework: cut(framework) }),
    ...(user?.username !== undefined && { user: cut(user.username) }),
    ...(hasEnded && endedAt !== undefined && { endedAt }),
    ...(results?.durationSeconds !== undefined && { durationSeconds: results.durationSeconds }),
    ...(loss && values && { loss: { name: cut(loss.name), values } }),
  };
}

function detailOf(draft: SessionDraft, facts: Facts, identity: Identity): SessionDetail {
  const { pod, results } = facts;
  const { raw, ...config } = facts.config ?? {};
  const history = facts.history && thinHistory(facts.history, historyBytesMax);
  const warnings = [...new Set([...identity.warnings, ...draft.warnings])];
  return {
    ...(draft.sealedBy !== undefined && { sealedBy: cut(draft.sealedBy) }),
    ...(facts.version !== undefined && { version: cut(facts.version) }),
    ...(pod && { pod: cutTexts(pod) }),
    config: listingOf({ ...raw, ...config }),
    metrics: listingOf(results?.metrics ?? {}),
    ...(results?.epochsCompleted !== undefined && { epochsCompleted: results.epochsCompleted }),
    ...(results?.stepsCompleted !== undefined && { stepsCompleted: results.stepsCompleted }),
    checkpoints: results?.checkpointsSaved?.length ?? 0,
    ...(results?.error !== undefined && { error: cut(results.error, errorMax) }),
    ...(history && { history }),
    excluded: draft.excluded,
    warnings: warnings.slice(0, warningsMax).map((warning) => cut(warning)),
    warningsMore: Math.max(0, warnings.length - warningsMax),
  };
}

function listingOf(map: object): Listing {
  const entries: [string, string][] = [];
  let more = 0;
  const add = (name: string, value: unknown, depth: number): void => {
    if (typeof value === 'object' && value !== null && depth < 6 && Object.keys(value).length > 0) {
      if (!Array.isArray(value) || value.some((one) => typeof one === 'object')) {
        for (const [key, one] of Object.entries(value)) add(`${name}.${key}`, one, depth + 1);
        return;
      }
    }
    if (entries.length < entriesMax) entries.push([cut(name), cut(textOf(value))]);
    else more += 1;
  };
  for (const [key, value] of Object.entries(map)) add(key, value, 0);
  return { entries, more };
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
}

function cutTexts(pod: PodSection): PodSection {
  const entries = Object.entries(pod).map(([key, value]) => [
    key,
    typeof value === 'string' ? cut(value) : value,
  ]);
  return Object.fromEntries(entries) as PodSection;
}

function cut(text: string, max = textMax): string {
  return text.length > max ? `${text.slice(0, max)}…` : text;
}
