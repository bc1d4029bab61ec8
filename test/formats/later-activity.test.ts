import { expect, test } from 'vitest';
import { wentOnAfter } from '../../src/formats/parts/later-activity.ts';

const at = 1_750_000_000_000;
const later = (path: string, ms = 60_001) => [{ path, sizeBytes: 1, modifiedAtMs: at + ms }];

test.each([
  'checkpoint-500/model.safetensors',
  'weights/last.pt',
  'runs/a/events.out.tfevents.1750000000.node.7.0',
  'train.log',
  'slurm-77.out',
  'log/log.txt',
  'wandb/run-1/run-1.wandb',
  'metrics.csv',
  'trainer_log.jsonl',
  'MODEL.BIN',
])('a training that writes %s went on', (path) => {
  expect(wentOnAfter(at, later(path))).toBe(true);
  expect(wentOnAfter(at, later(path, 60_000))).toBe(false);
});

test.each([
  'notes.txt',
  'README.md',
  'plots/loss.png',
  'eval_results.json',
  'table.csv',
  'requirements.txt',
  'logo.svg',
])('what somebody adds afterwards is no training: %s', (path) => {
  expect(wentOnAfter(at, later(path))).toBe(false);
});
