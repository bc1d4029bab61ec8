import { isJsonObject } from '../domain/json.ts';
import { baseName, comparePaths, displayPath } from '../domain/watched-path.ts';
import { amount, whole } from './parts/config-fields.ts';
import { FactCollector } from './parts/fact-collector.ts';
import { isNetwork, type Network, parseNetwork, takeFacts } from './parts/kohya-network.ts';
import { closingMs, wentOnAfter } from './parts/later-activity.ts';
import { parseLenientJson } from './parts/lenient-json.ts';
import { readTime } from './parts/read-time.ts';
import { headerBytesMax } from './parts/safetensors-header.ts';
import { type Ending, type FileInfo, type FormatReader, nothing, type ReadFile } from './reader.ts';

/**
 * kohya's sd-scripts (train_network.py): everything is in the metadata of the networks it saves, as texts:
 * `{output_name}-{epoch:06d}`, `{output_name}-step{step:08d}`, and without a suffix the last one.
 */

const filesMax = 16;
const weights = /^(?:[^/]+\/)?[^/]{1,200}\.safetensors$/;
const others = /(?:^|\/)(?:model|adapter_model|diffusion_pytorch_model|pytorch_)[^/]*$|(?:^|\/)checkpoint/;
const state = /^(?:[^/]+\/)?[^/]{1,200}-state\/train_state\.json$/;

export const kohyaReader: FormatReader = {
  name: 'sd-scripts',

  recognise({ names }) {
    const paths = [...names].filter((name) => weights.test(name) && !others.test(name)).sort(comparePaths);
    if (paths.length === 0) return undefined;
    const proof = { paths: paths.slice(0, 4), bytesMax: 64 * 1024, believe: isNetwork };
    return { confidence: 'likely', reason: 'a network of sd-scripts', proof };
  },

  select(files) {
    const newest = (pattern: RegExp) =>
      files
        .filter(({ path }) => pattern.test(path) && !others.test(path))
        .sort((a, b) => b.modifiedAtMs - a.modifiedAtMs || comparePaths(a.path, b.path))
        .slice(0, filesMax);
    const common = { manner: 'whole', keep: 'companion' } as const;
    return [
      ...newest(weights).map(({ path }) => ({
        ...common,
        path,
        bytesMax: 8 + headerBytesMax,
        parse: parseNetwork,
      })),
      ...newest(state).map(({ path }) => ({ ...common, path, bytesMax: 4096, parse: parseState })),
    ];
  },

  assess(read, session) {
    // `select` chose them: `parseNetwork` and `parseState` made what is remembered.
    const networks = read.flatMap((file) =>
      weights.test(file.path) && file.parsed !== undefined ? [{ ...file, ...(file.parsed as Network) }] : [],
    );
    const [newest, ...earlier] = networks.sort(byProgress);
    if (newest === undefined) return nothing;
    const facts = new FactCollector();
    takeFacts(facts, newest, newest.path);
    takeStates(facts, read, newest);
    const others = new Set(earlier.map(({ startedAt }) => startedAt));
    others.delete(newest.startedAt);
    if (others.size > 0)
      facts.warn(newest.path, `networks of ${others.size + 1} trainings, the last is read`);
    return facts.assessment(endingOf(networks, newest, session.files));
  },
};

type NetworkFile = ReadFile & Network;

interface State {
  readonly step: number;
}

function parseState(bytes: Buffer): State | undefined {
  const { value } = parseLenientJson(bytes, 4096);
  const step = isJsonObject(value) ? whole(value['current_step'], 0) : undefined;
  return step === undefined ? undefined : { step };
}

/** The last training first, and of that the furthest; of two that are as far, the one without a suffix. */
function byProgress(a: NetworkFile, b: NetworkFile): number {
  const suffix = Number(isFinal(b)) - Number(isFinal(a));
  return b.startedAt - a.startedAt || b.steps - a.steps || suffix || comparePaths(a.path, b.path);
}

function isFinal({ path, metadata }: NetworkFile): boolean {
  const name = metadata.get('ss_output_name');
  return name !== undefined && baseName(path) === `${name}.safetensors`;
}

/** A state is saved beside a network, by some settings more often. */
function takeStates(facts: FactCollector, read: readonly ReadFile[], newest: NetworkFile): void {
  for (const { path, parsed, modifiedAtMs } of read) {
    const at = state.test(path) ? (parsed as State | undefined) : undefined;
    if (at === undefined || at.step <= newest.steps || modifiedAtMs < newest.modifiedAtMs) continue;
    facts.warn(path, `a state at step ${at.step}, beyond the last network at ${newest.steps}`);
  }
}

/**
 * `ss_training_finished_at` is written with every network; only the one without a suffix is the last. It must be whole,
 * of the last training, and the furthest.
 */
function endingOf(
  networks: readonly NetworkFile[],
  newest: NetworkFile,
  files: readonly FileInfo[],
): Ending | undefined {
  const final = networks.find(
    (one) => isFinal(one) && one.startedAt === newest.startedAt && one.steps >= newest.steps,
  );
  if (final === undefined || final.isWhole === false || wentOnAfter(final.modifiedAtMs, files))
    return undefined;
  const endedAt = readTime(amount(final.metadata.get('ss_training_finished_at')) ?? null)?.iso;
  return {
    status: 'completed',
    by: displayPath(final.path),
    ...(endedAt !== undefined && { endedAt }),
    ...(final.isWhole === undefined && { quietMs: closingMs }),
  };
}
