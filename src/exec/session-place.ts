import { legalId } from '../domain/session-identity.ts';
import { hasOtherRanks, hasRank, launchId, rankOf } from './rank.ts';

export interface PlaceInputs {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly command: readonly string[];
  /** `--dir`, `--id`. */
  readonly directory: string | undefined;
  readonly id: string | undefined;
  readonly startedAtMs: number;
  /** Six hex digits by chance. */
  readonly chance: string;
}

/**
 *   session   the command is the session: all its files are written
 *   part      it is one process of a session: only its output, as `ranks/<rank>.log`
 *   nowhere   a part of a session that it cannot find
 *
 * Exactly one of `directory` (as given) and `id` (a directory in the watched one) says where. `id` is also the session's.
 */
export type SessionPlace =
  | { readonly kind: 'session'; readonly directory: string | undefined; readonly id: string }
  | {
      readonly kind: 'part';
      readonly directory: string | undefined;
      readonly id: string | undefined;
      readonly rank: number;
    }
  | { readonly kind: 'nowhere'; readonly rank: number };

/** How a command says to those that it starts where their session is. */
export const sessionDirectoryVariable = 'TRAINLOGD_SESSION_DIR';

export function placeOf(inputs: PlaceInputs): SessionPlace {
  const { env, directory, id } = inputs;
  const rank = rankOf(env);
  const isNamed = directory !== undefined || id !== undefined;
  const outer = isNamed ? undefined : env[sessionDirectoryVariable] || undefined;
  // A launcher below another `exec` starts parts of that one's session, its first process too.
  const isPart = rank > 0 || (outer !== undefined && hasRank(env));
  if (!isPart) return { kind: 'session', directory, id: id ?? ownId(inputs) };
  const place = directory ?? outer;
  if (place !== undefined) return { kind: 'part', directory: place, id: undefined, rank };
  const common = id ?? launchId(env);
  if (common === undefined) return { kind: 'nowhere', rank };
  return { kind: 'part', directory: undefined, id: common, rank };
}

function ownId({ env, command, startedAtMs, chance }: PlaceInputs): string {
  const common = hasOtherRanks(env) ? launchId(env) : undefined;
  if (common !== undefined) return common;
  const time = new Date(startedAtMs).toISOString().replace(/[-:]|\.\d{3}/g, '');
  const name = legalId(nameOf(command))?.slice(0, 80);
  return `${name === undefined ? '' : `${name}-`}${time}-${chance}`;
}

/** `python -m torch.distributed.run train.py --lr 1` is known as train. */
function nameOf(command: readonly string[]): string {
  const script = command.find((part) => /^[^-].*\.(?:py|sh|bash|jl|R|lua|js|ts)$/.test(part));
  const name = (script ?? command[0] ?? '').split('/').at(-1) ?? '';
  return script === undefined ? name : name.replace(/\.[^.]+$/, '');
}
