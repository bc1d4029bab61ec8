import { describe, expect, test } from 'vitest';
import { formatReaders } from '../../src/formats/registry.ts';
import { surveyFolder } from '../../src/services/folder-survey.ts';
import { RootRecognition } from '../../src/services/root-recognition.ts';
import { SessionReadings } from '../../src/services/session-reading.ts';
import { MemoryFolder } from '../fakes/memory-folder.ts';
import { eventFile, hyperparameters, scalar, text } from '../support/event-file.ts';
import { World } from '../support/services.ts';

/** The directories that trainers make, at the moments at which somebody may look at them. */

const start = 1_767_607_200;
const events = `events.out.tfevents.${start}.node1.7.0`;
const nested = `${start}.5/events.out.tfevents.${start}.node1.7.1`;
const trainerRun = 'runs/Jan05_10-00-00_node1';
/** All that is there of an event file for the first minutes. */
const begun = eventFile([]);
const values = eventFile([{ at: start + 1, step: 1, values: [scalar('loss', 2)] }]);
const hparams = eventFile([{ at: start, values: [hyperparameters({ lr: 0.5 })] }]);
const trainerEvents = eventFile([
  { at: start, values: [text('args/text_summary', '{"output_dir": "out", "num_train_epochs": 3}')] },
  { at: start + 5, step: 10, values: [scalar('train/loss', 2)] },
]);
const trainerState = JSON.stringify({ epoch: 1, global_step: 5, log_history: [{ loss: 1, step: 5 }] });
const wandbLog = Buffer.concat([Buffer.from(':W&B'), Buffer.from([0xe1, 0xbe, 0])]);
const runMeta =
  "artifact_uri: file:///x\nend_time: null\nexperiment_id: '1'\nrun_id: ab\nrun_uuid: ab\nstart_time: 1767607200000\nstatus: 1\nlifecycle_stage: active\n";
const experimentMeta =
  "artifact_location: file:///x\nexperiment_id: '1'\nlifecycle_stage: active\nname: one\n";
const modelMeta =
  "artifact_location: file:///x\nexperiment_id: '1'\nmodel_id: m-1\nname: model\nsource_run_id: ab\nstatus: 2\n";
const lfsPointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${'0'.repeat(64)}\nsize 82180\n`;

type Tree = Readonly<Record<string, string | Uint8Array>>;

/** A folder, what is found in it, and what was opened to find it. */
function world() {
  const folder = new MemoryFolder();
  const frozen = new Set<string>();
  const read = new Map<string, number>();
  const open = folder.open.bind(folder);
  folder.open = async (path) => {
    const file = await open(path);
    const count = (bytes: number) => read.set(path, (read.get(path) ?? 0) + bytes);
    return {
      stat: file.stat,
      sizeBytes: file.sizeBytes,
      statNow: () => file.statNow(),
      assertUnchanged: () => file.assertUnchanged(),
      close: () => file.close(),
      read: (position, length) => {
        count(length);
        return file.read(position, length);
      },
    };
  };
  const rules = {
    recognition: new RootRecognition(folder, formatReaders),
    matches: undefined,
    frozen: (path: string) => frozen.has(path),
    depthMax: 6,
  };
  const add = (tree: Tree) => {
    for (const [path, bytes] of Object.entries(tree)) folder.write(path, bytes);
  };
  const survey = async () => {
    const manner = { oneFile: async () => undefined, isLast: () => false };
    const all = [];
    for await (const one of surveyFolder(folder, rules, manner, new AbortController().signal)) all.push(one);
    return all;
  };
  /** Candidates in brackets: sessions once they have ended or fallen silent. Others are so for good. */
  const roots = async () => {
    const found = (await survey()).flatMap(({ sessions }) => sessions.map(({ root }) => root));
    for (const { path, by } of found) if (by !== 'name') frozen.add(path);
    return found.map(({ path, by }) => (by === 'name' ? `(${path})` : path || '.')).sort();
  };
  return { folder, read, add, survey, roots };
}

async function rootsOf(tree: Tree): Promise<string[]> {
  const { add, roots } = world();
  add(tree);
  return roots();
}

function below(directory: string, tree: Tree): Tree {
  const prefix = directory === '' ? '' : `${directory}/`;
  return Object.fromEntries(Object.entries(tree).map(([path, bytes]) => [prefix + path, bytes]));
}

describe.each([
  ['the watched folder itself', '', '.', ['(runs)']],
  ['a directory straight in it', 'out', 'out', ['(out)']],
  ['a directory two levels down', 'exp/out', 'exp/out', ['(exp)']],
])("a Trainer's output directory that is %s", (_, at, root, undecided) => {
  const moments: readonly (readonly [string, Tree, readonly string[]])[] = [
    ['an event file is begun', { [`${trainerRun}/${events}`]: begun }, undecided],
    ['hyperparameters are in a directory of their own', { [`${trainerRun}/${nested}`]: hparams }, undecided],
    ['values were flushed', { [`${trainerRun}/${events}`]: trainerEvents }, [root]],
    ['a checkpoint is begun', { 'checkpoint-5/model.safetensors': 'x' }, [root]],
    ['its state is half written', { 'checkpoint-5/trainer_state.json': '{"epo' }, [root]],
    ['its state is written', { 'checkpoint-5/trainer_state.json': trainerState }, [root]],
    ['the next one is begun', { 'tmp-checkpoint-10/optimizer.pt': 'x' }, [root]],
    [
      'an evaluation follows',
      { [`${trainerRun}/events.out.tfevents.${start + 60}.node1.7.2`]: values },
      [root],
    ],
    ['it is saved at the end', { 'trainer_state.json': trainerState, 'config.json': '{}' }, [root]],
    ['another training is begun in it', { [`runs/Jan06_10-00-00_node1/${events}`]: begun }, [root]],
    ['and has values', { [`runs/Jan06_10-00-00_node1/${events}`]: trainerEvents }, [root]],
  ];

  test('is one session at every moment', async () => {
    const { add, roots } = world();
    for (const [moment, tree, expected] of moments) {
      add(below(at, tree));
      expect(await roots(), moment).toEqual(expected);
    }
  });

  test.each(moments.map(([moment], index) => [moment, index] as const))(
    'is one session when it is found only after %s',
    async (_, index) => {
      const { add, roots } = world();
      for (const [, tree] of moments.slice(0, index + 1)) add(below(at, tree));
      expect(await roots()).toEqual(moments[index]?.[2]);
    },
  );

  test('is one without event files, too, once a state is there', async () => {
    const { add, roots } = world();
    add(below(at, { 'checkpoint-5/model.safetensors': 'x', 'checkpoint-5/trainer_state.json': '' }));
    expect(await roots()).toEqual([at === '' ? '(checkpoint-5)' : `(${at.split('/')[0]})`]);
    add(below(at, { 'checkpoint-5/trainer_state.json': trainerState }));
    expect(await roots()).toEqual([root]);
  });
});

describe('sessions are', () => {
  test.each<[string, Tree, string[]]>([
    [
      'the days and times of Hydra',
      {
        'outputs/2026-01-05/10-00-00/.hydra/config.yaml': 'lr: 1\n',
        'outputs/2026-01-05/10-00-00/train.log': 'x',
        'outputs/2026-01-05/11-00-00/.hydra/config.yaml': 'lr: 1\n',
        'outputs/2026-01-06/10-00-00/.hydra/config.yaml': 'lr: 1\n',
      },
      ['outputs/2026-01-05/10-00-00', 'outputs/2026-01-05/11-00-00', 'outputs/2026-01-06/10-00-00'],
    ],
    [
      'the jobs of a multirun',
      {
        'multirun/2026-01-05/10-00-00/multirun.yaml': 'x',
        'multirun/2026-01-05/10-00-00/0/.hydra/config.yaml': 'lr: 1\n',
        'multirun/2026-01-05/10-00-00/1/.hydra/config.yaml': 'lr: 2\n',
      },
      ['multirun/2026-01-05/10-00-00/0', 'multirun/2026-01-05/10-00-00/1'],
    ],
    ['a job of Hydra that is the watched folder', { '.hydra/config.yaml': 'lr: 1\n', 'a/x.txt': '1' }, ['.']],
    [
      'versions of Lightning, also in a job of Hydra',
      {
        'outputs/2026-01-05/10-00-00/.hydra/config.yaml': 'lr: 1\n',
        'outputs/2026-01-05/10-00-00/lightning_logs/version_0/metrics.csv': 'epoch,step\n0,1\n',
      },
      ['outputs/2026-01-05/10-00-00', 'outputs/2026-01-05/10-00-00/lightning_logs/version_0'],
    ],
    [
      'versions of Lightning in a project with checkpoints beside',
      {
        'project/lightning_logs/version_0/hparams.yaml': '{}\n',
        [`project/lightning_logs/version_0/${events}`]: begun,
        'project/lightning_logs/version_1/metrics.csv': 'epoch,step,loss\n0,1,2\n',
        'project/checkpoints/epoch=0-step=1.ckpt': 'x',
        'project/train.py': 'x',
      },
      ['project/lightning_logs/version_0', 'project/lightning_logs/version_1'],
    ],
    [
      'versions in the watched folder of a logger',
      { 'version_0/hparams.yaml': '{}\n', [`version_1/${events}`]: begun },
      ['version_0', 'version_1'],
    ],
    [
      'the trainings of Ultralytics, with event files, and no predictions',
      {
        'runs/detect/train/args.yaml': 'task: detect\nmode: train\nmodel: yolo.pt\nepochs: 3\n',
        [`runs/detect/train/${events}`]: values,
        'runs/detect/train2/args.yaml': 'task: detect\nmode: train\nmodel: yolo.pt\nepochs: 3\n',
        'runs/detect/train2/results.csv': 'epoch,time\n1,2\n',
        'runs/detect/val/confusion_matrix.png': 'x',
        'runs/detect/predict/bus.jpg': 'x',
      },
      ['runs/detect/train', 'runs/detect/train2'],
    ],
    [
      'the trainings of Ultralytics in a watched folder of them',
      {
        'train/args.yaml': 'task: detect\nmode: train\nmodel: yolo.pt\nepochs: 3\n',
        [`train/${events}`]: values,
        'train2/args.yaml': 'task: detect\nmode: train\nmodel: yolo.pt\nepochs: 3\n',
      },
      ['train', 'train2'],
    ],
    [
      "PyTorch's event files, each directory",
      { [`runs/a/${events}`]: values, [`runs/b/${events}`]: values, 'runs/b/model.pt': 'x' },
      ['runs/a', 'runs/b'],
    ],
    [
      'one that says nothing yet beside one that does, once it is silent',
      { [`runs/a/${events}`]: begun, [`runs/b/${events}`]: values },
      ['(runs/a)', 'runs/b'],
    ],
    [
      'one whose hyperparameters lie deeper',
      { [`runs/a/${events}`]: begun, [`runs/a/${nested}`]: values },
      ['runs/a'],
    ],
    [
      'the directory around training and validation of Keras',
      { [`fit/train/${events}.v2`]: values, [`fit/validation/${events}.v2`]: values },
      ['fit'],
    ],
    [
      'runs that are called so',
      { [`exp/train/${events}`]: values, 'exp/train/model.pt': 'x', [`exp/test/${events}`]: values },
      ['exp/test', 'exp/train'],
    ],
    ['an event folder of a run: the run', { [`exp/tb_logs/${events}`]: values, 'exp/out.txt': 'x' }, ['exp']],
    [
      'the event folders of a watched folder, that folder not',
      { [`logs/${events}`]: values, 'other/x': 'x' },
      ['(other)', 'logs'],
    ],
    [
      'the runs of MLflow; models, experiments and the bin are none',
      {
        'mlruns/1/meta.yaml': experimentMeta,
        'mlruns/1/ab/meta.yaml': runMeta,
        'mlruns/1/ab/params/lr': '1',
        'mlruns/1/cd/meta.yaml': runMeta,
        'mlruns/1/cd/tags/mlflow.user': 'x',
        'mlruns/1/models/m-1/meta.yaml': modelMeta,
        'mlruns/1/models/m-1/tags/x': 'x',
        'mlruns/1/models/m-1/params/lr': '1',
        'mlruns/.trash/2/meta.yaml': experimentMeta,
        'mlruns/models/name/meta.yaml': 'name: one\n',
      },
      ['mlruns/1/ab', 'mlruns/1/cd'],
    ],
    [
      'the runs of MLflow in a run',
      {
        'out/trainer_state.json': trainerState,
        'out/mlruns/0/ab/meta.yaml': runMeta,
        'out/mlruns/0/ab/metrics/loss': '1 2 3\n',
      },
      ['out', 'out/mlruns/0/ab'],
    ],
    [
      'a run with what wandb keeps of it',
      {
        'out/trainer_state.json': trainerState,
        'out/wandb/offline-run-20260105_100000-ab12cd34/run-ab12cd34.wandb': wandbLog,
        'out/wandb/latest-run/run-ab12cd34.wandb': wandbLog,
      },
      ['out'],
    ],
    [
      'a directory for which wandb alone speaks',
      {
        'out/wandb/offline-run-20260105_100000-ab12cd34/run-ab12cd34.wandb': wandbLog,
        'out/model.pt': 'x',
      },
      ['out'],
    ],
    [
      'the runs of wandb where nothing else is watched',
      {
        'wandb/offline-run-20260105_100000-ab12cd34/run-ab12cd34.wandb': wandbLog,
        'wandb/run-20260105_110000-cd34ef56/run-cd34ef56.wandb': wandbLog,
        'wandb/latest-run/run-cd34ef56.wandb': wandbLog,
        'wandb/debug.log': 'x',
      },
      ['wandb/offline-run-20260105_100000-ab12cd34', 'wandb/run-20260105_110000-cd34ef56'],
    ],
    [
      'runs of wandb beside runs',
      {
        'wandb/offline-run-20260105_100000-ab12cd34/run-ab12cd34.wandb': wandbLog,
        'out/trainer_state.json': trainerState,
      },
      ['out', 'wandb/offline-run-20260105_100000-ab12cd34'],
    ],
    [
      'the run around its ranks',
      { [`job/rank_0/${events}`]: values, [`job/rank_1/${events}`]: values, 'job/out.txt': 'x' },
      ['job'],
    ],
    [
      'the logs of a launch, by their name once they are silent',
      {
        'none_5x2k/attempt_0/0/stdout.log': 'x',
        'none_5x2k/attempt_0/1/stderr.log': 'x',
        'none_5x2k/attempt_1/0/error.json': '{}',
      },
      ['(none_5x2k)'],
    ],
  ])('%s', async (_, tree, expected) => {
    expect(await rootsOf(tree)).toEqual(expected);
  });
});

test.each<[string, Tree, string[]]>([
  ["a trading bot's state", { 'bot/trainer_state.json': '{"balance": 1, "global_step": 3}' }, ['(bot)']],
  ['a pointer of Git LFS', { 'a/checkpoint-5/trainer_state.json': lfsPointer }, ['(a)']],
  ['a pointer in the place of weights', { 'a/lora.safetensors': lfsPointer }, ['(a)']],
  ['what macOS leaves', { [`__MACOSX/run/._${events}`]: values, [`__MACOSX/._x/${events}`]: 'x' }, []],
  ['an empty event file', { [`a/b/${events}`]: '' }, ['(a)']],
  ['a configuration of anything', { 'a/b/args.yaml': 'mode: val\n', 'a/c/config.yaml': 'x: 1\n' }, ['(a)']],
  ['a table without steps', { 'a/b/metrics.csv': 'name,value\nx,1\n' }, ['(a)']],
])('%s is no run', async (_, tree, expected) => {
  expect(await rootsOf(tree)).toEqual(expected);
});

test('a session that is found around one of before takes none of its files, and all the others', async () => {
  const { add, roots, survey } = world();
  add({ [`out/board/${events}`]: values, 'out/stdout.txt': 'x' });
  expect(await roots()).toEqual(['out/board']);
  add({ 'out/checkpoint-5/trainer_state.json': trainerState, 'out/board/more.txt': 'x' });
  expect(await roots()).toEqual(['out', 'out/board']);
  const all = await survey();
  const owned = all.flatMap(({ sessions }) =>
    sessions.flatMap(({ root, files }) => files.map(({ path }) => `${root.path}: ${path}`)),
  );
  expect(all.flatMap(({ loose }) => loose)).toEqual([]);
  expect(owned.sort()).toEqual([
    `out/board: out/board/${events}`,
    'out/board: out/board/more.txt',
    'out: out/checkpoint-5/trainer_state.json',
    'out: out/stdout.txt',
  ]);
});

test('what a run holds by the gigabyte is not read: of weights their headers, of checkpoints their states', async () => {
  const { folder, read, roots } = world();
  const weights = Buffer.alloc(4_000_000, 7);
  const header = Buffer.from('{"w":{"dtype":"F32","shape":[9],"data_offsets":[0,36]}}');
  weights.writeBigUInt64LE(BigInt(header.length));
  header.copy(weights, 8);
  for (const step of [5, 10, 15]) {
    folder.write(`checkpoint-${step}/trainer_state.json`, trainerState);
    folder.write(`checkpoint-${step}/optimizer.pt`, weights);
    folder.write(`checkpoint-${step}/model.safetensors`, weights);
  }
  folder.write('model.safetensors', weights);
  folder.write('adapter_model.safetensors', weights);
  expect(await roots()).toEqual(['.']);
  const readings = new SessionReadings({ source: folder, readers: formatReaders, oneFile: () => undefined });
  const listing = await folder.scan('', new AbortController().signal);
  const files = listing?.entries.filter(({ kind }) => kind === 'file') ?? [];
  await readings.read({ root: '', kind: 'directory', files });
  const paths = [...read.keys()].filter((path) => !path.endsWith('trainer_state.json'));
  expect(paths.filter((path) => path.includes('/'))).toEqual([]);
  for (const path of paths) expect(read.get(path), path).toBeLessThan(1_100_000);
});

test('a log straight in the folder that was a session before the folder was one stays that', async () => {
  const world = new World();
  world.folder.write('train.log', 'begins');
  const agent = world.start();
  await agent.look();
  world.folder.write('checkpoint-5/trainer_state.json', trainerState);
  world.folder.write('notes.txt', 'x');
  await agent.look();
  world.folder.append('train.log', ', goes on');
  await agent.look();
  await world.clock.advance(3 * 3_600_000);
  await agent.deliver();
  expect(world.summary().sort()).toEqual([
    '/watched stalled 2 [notes.txt] []',
    'train.log stalled 2 [train.log] []',
  ]);
  expect(world.events.of('session.vanished')).toEqual([]);
});

test('a candidate that turns out to be a part of a run is no loss', async () => {
  const world = new World();
  world.folder.write(`${trainerRun}/${events}`, begun);
  const agent = world.start();
  await agent.look();
  expect(world.events.of('session.found')).toEqual([]);
  world.folder.write(`${trainerRun}/${events}`, trainerEvents);
  await agent.look();
  expect(world.events.of('session.found').map(({ path }) => path)).toEqual(['.']);
  await world.clock.advance(3 * 3_600_000);
  await agent.deliver();
  expect(world.summary()).toEqual([`/watched stalled 2 [${trainerRun}/${events}] []`]);
  expect(world.events.of('session.vanished')).toEqual([]);
});
