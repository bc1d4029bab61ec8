import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { hasSamples, sampleRuns } from '../support/real-samples.ts';
import { sessionsIn, Watched } from './watched-session.ts';

/**
 * Which of the real runs have ended, by what, told from their files by hand: `train_runtime` in the state, all steps
 * done, all epochs done, an exit record, a status. Of all others nothing says so, however complete they look.
 */
const ended: Readonly<Record<string, string>> = {
  'Checkpoint-of-CPT': 'completed by trainer_state.json',
  'RPG-game': 'completed by checkpoint-500/trainer_state.json, once quiet',
  'WikipediaLLM/results': 'completed by checkpoint-16425/trainer_state.json, once quiet',
  'fixed-whisperv2-flemish': 'completed by trainer_state.json',
  'whisper-large-v2-japanese-5k-steps': 'completed by trainer_state.json',
  trainer_state_viz: 'completed by trainer_state.json, once quiet',
  'Math-Meme-Repair/outputs': 'completed by checkpoint-60/trainer_state.json, once quiet',
  'serial-lain-ai': 'completed by trainer_state.json',
  NSLLM: 'completed by trainer_state.json',
  'PTI-Vision-/runs/detect/train2': 'completed by results.csv, once quiet',
  'YOLOv8-Fire-and-Smoke-Detection/runs/detect/train': 'completed by results.csv, once quiet',
  'wandb/tests/assets/compat_logs/synthesized/offline-run-old_no_history':
    'completed by run-old_no_history.wandb, once quiet',
  'wandb/tests/assets/compat_logs/synthesized/offline-run-old_resumed_run':
    'completed by run-old_resumed_run.wandb, once quiet',
  graduate: 'failed by wandb/offline-run-20240112_152925-er02wjzs/run-er02wjzs.wandb, once quiet',
  'MLOps-assignment1/mlruns/442184351311106268/37c3d70bd924487d8113909cc9f6d31a': 'failed by meta.yaml',
  'ImageClass/mlruns/586757370402886605/3a9af4bdab714eb69a4ed7582c387268': 'completed by meta.yaml',
};
/** Of the run whose checkpoints were kept on its way, only the last one has ended. */
const stillRunning = /^P4P4N1CK--.*@(?:a11d12ea|74124906|5cf38881)$/;

/**
 * A trading bot, pointers of Git LFS and other stand-ins, tables of a GPU monitor, logs and forms that hold no number
 * over time, a copied `latest-run`: nobody claims to know anything.
 */
const silent = [
  'ArchGen',
  'ChineseNER',
  'LoRa',
  'LogShort',
  'OpenRLHF-Demo',
  'Untrained-NN-SC',
  'camouflaged-poisoning',
  'diffusers/examples/textual_inversion',
  'gpu-usage',
  'long-sequence-finetune',
  'nlp',
  'nvidia-monitor',
  'public-loras',
  'rdt-agilex',
  'zetascope-codes',
];

interface Told {
  readonly run: string;
  readonly root: string;
  readonly ending: string | undefined;
  readonly factCount: number;
}

async function toldBy(run: string, paths: ReadonlyMap<string, string>): Promise<Told[]> {
  const files = new Map([...paths].map(([source, target]) => [target, readFileSync(source)]));
  const told: Told[] = [];
  for (const { root, files: own } of await sessionsIn(files)) {
    const watched = new Watched(root);
    for (const [path, bytes] of own) watched.folder.write(path, bytes);
    const { endings, sources } = await watched.last();
    const [first] = endings;
    const ending = first && `${first.status} by ${first.by}${first.quietMs ? ', once quiet' : ''}`;
    const factCount = sources.reduce((sum, { facts }) => sum + Object.keys(facts).length, 0);
    told.push({ run, root, ending, factCount });
  }
  return told;
}

describe.skipIf(!hasSamples)('of real runs', () => {
  const runs = sampleRuns();
  const all = async () => (await Promise.all([...runs].map(([name, paths]) => toldBy(name, paths)))).flat();

  test('those have ended that their files say have ended, and no other', async () => {
    const found = (await all()).filter(({ ending }) => ending !== undefined);
    expect(Object.fromEntries(found.map(({ root, ending }) => [root, ending]))).toEqual(ended);
    expect(found.filter(({ run }) => stillRunning.test(run))).toEqual([]);
  });

  test('those that are none, or say nothing, yield no fact and no end', async () => {
    const found = (await all()).filter(({ factCount }) => factCount === 0);
    expect([...new Set(found.map(({ root }) => root))].sort()).toEqual(silent);
    expect(found.filter(({ ending }) => ending !== undefined)).toEqual([]);
  });
});
