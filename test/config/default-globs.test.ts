import picomatch from 'picomatch';
import { describe, expect, test } from 'vitest';
import { checkpointGlobs, defaultExcludes } from '../../src/config/default-globs.ts';

const isCheckpoint = picomatch([...checkpointGlobs], { dot: true });
const isExcluded = picomatch([...defaultExcludes], { dot: true });

describe('weights and checkpoints', () => {
  test.each([
    'checkpoint-500/trainer_state.json',
    'run/checkpoint-best/config.json',
    'tmp-checkpoint-500/model.safetensors',
    'checkpoint_000001/data.pkl',
    'checkpoints/epoch=1-step=200.ckpt',
    'last.ckpt',
    'epoch=1.ckpt/checkpoint/mp_rank_00_model_states.pt',
    'global_step100/zero_pp_rank_0.pt',
    'iter_0001000/mp_rank_00/x',
    'model-00001-of-00002.safetensors',
    'weights/best.pt',
    'rng_state_0.pth',
    'pytorch_model.bin',
    'pytorch_model-00001-of-00002.bin',
    'adapter_model.bin',
    'unet/diffusion_pytorch_model.fp16.bin',
    'pytorch_lora_weights.bin',
    'optimizer.bin',
    'optimizer_1.bin',
    'scheduler.bin',
    'random_states_0.pkl',
    'model.gguf',
    'model.onnx',
    'model.onnx_data',
    'tf_model.h5',
    'model.keras',
    'flax_model.msgpack',
    'checkpoint_1000',
    'ckpt-1.data-00000-of-00001',
    'model.ckpt-100.index',
    'saved_model/saved_model.pb',
    'step-100/__0_0.distcp',
    'rl_model_1000_steps.zip',
  ])('%s is left out', (path) => {
    expect(isCheckpoint(path)).toBe(true);
    expect(isExcluded(path)).toBe(true);
  });
});

describe('caches', () => {
  test.each([
    '__pycache__/a.cpython-312.pyc',
    'src/a.pyc',
    '.cache/x',
    'hub/models--org--name/blobs/abc',
    'wandb/artifacts/x/y',
    'wandb/run-20240301_120000-abc/tmp/code/x',
    'cache-0f3a.arrow',
    'labels.cache',
    '.git/HEAD',
  ])('%s is left out and no checkpoint', (path) => {
    expect(isExcluded(path)).toBe(true);
    expect(isCheckpoint(path)).toBe(false);
  });
});

test.each([
  'stdout.log',
  'training_args.bin',
  'trainer_state.json',
  'events.out.tfevents.1700000000.host.1.0',
  'checkpoint-notes.txt',
  'checkpoint.txt',
  'pytorch_model.bin.index.json',
  'metrics.csv',
  'evaluations.npz',
  'data.bin',
  'run.params',
  'tcp.index',
  'faiss.index',
  'wandb/run-20240301_120000-abc/files/media/a.png',
  'wandb/run-20240301_120000-abc/run-abc.wandb',
  'lightning_logs/version_0/metrics.csv',
  'version_0/hparams.yaml',
  'results.png',
  'tokenizer.json',
  'plots/weights_histogram.png',
])('%s is shipped', (path) => expect(isExcluded(path)).toBe(false));
