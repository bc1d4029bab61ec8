import { isJsonObject, type JsonObject, type JsonValue } from '../domain/json.ts';
import { bodyOf, type HttpAnswer } from './host-tools.ts';
import type { Unanswered } from './probe.ts';

export type { JsonObject } from '../domain/json.ts';

/** The JSON object of an answer, or the one that it has under a name. */
export function objectIn(answer: HttpAnswer, name?: string): JsonObject | undefined {
  const whole = parse(bodyOf(answer));
  if (!isJsonObject(whole)) return undefined;
  if (name === undefined) return whole;
  const inner = Object.hasOwn(whole, name) ? whole[name] : undefined;
  return isJsonObject(inner) ? inner : undefined;
}

/** Without the answer's body, in which a pod's own variables stand. */
export function rateProblem(url: string, answer: HttpAnswer): Unanswered {
  const what = `asking ${JSON.stringify(url)} for the price`;
  if ('problem' in answer) return { problem: `${what}: ${answer.problem}`, isSilent: true };
  if (answer.status !== 200) return { problem: `${what}: it answers ${answer.status}`, isSilent: false };
  return { problem: `${what}: the answer has none`, isSilent: false };
}

function parse(text: string | undefined): JsonValue | undefined {
  try {
    return text === undefined ? undefined : (JSON.parse(text) as JsonValue);
  } catch {
    return undefined; // reason: an answer that is no JSON says nothing
  }
}
