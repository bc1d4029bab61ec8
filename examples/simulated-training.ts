/**
 * A training that only pretends, and writes what a real one would: who and with what at the start, output and metrics
 * as it goes, a checkpoint, the result at the end. It knows nothing of trainlogd; it writes files into a directory.
 *
 *   node examples/simulated-training.ts DIR [--steps N]     100 ms a step, 50 steps unless told
 */
import { randomUUID } from 'node:crypto';
import { appendFile, mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';

const stepMs = 100;
const epochs = 5;
const usage = 'usage: node examples/simulated-training.ts DIR [--steps N], N from 5 to 100000\n';
const exitUsage = 64;

const request = readArguments();
if (request) await train(request.directory, request.steps);
else {
  process.stderr.write(usage);
  process.exitCode = exitUsage;
}

function readArguments(): { directory: string; steps: number } | undefined {
  try {
    const options = { steps: { type: 'string', default: '50' } } as const;
    const { values, positionals } = parseArgs({ options, allowPositionals: true });
    const [directory] = positionals;
    const steps = Number(values.steps);
    const isGood = positionals.length === 1 && Number.isInteger(steps) && steps >= epochs && steps <= 100_000;
    return directory !== undefined && isGood ? { directory, steps } : undefined;
  } catch {
    return undefined; // reason: an unknown flag; the usage says which there are
  }
}

async function train(directory: string, steps: number): Promise<void> {
  const startedAt = new Date();
  await mkdir(directory, { recursive: true });
  await putWhole(join(directory, 'session.json'), {
    id: randomUUID(),
    version: 'simulated-training 1.0',
    startedAt: startedAt.toISOString(),
    user: { username: 'ada' },
    pod: { id: 'demo-pod', gpuType: 'NVIDIA H100', gpuCount: 8, costPerHour: 23.92, currency: 'USD' },
    config: { epochs, batchSize: 64, learningRate: 0.0003, seed: 7, model: 'tiny-transformer' },
  });
  await appendFile(join(directory, 'metrics.csv'), 'step,epoch,loss\n');
  for (let step = 1; step <= steps; step++) {
    await pause(stepMs);
    await recordStep(directory, step, steps);
  }
  const checkpoint = await saveCheckpoint(directory, steps);
  const endedAt = new Date();
  await putWhole(join(directory, 'result.json'), {
    status: 'completed',
    endedAt: endedAt.toISOString(),
    durationSeconds: (endedAt.getTime() - startedAt.getTime()) / 1000,
    checkpointsSaved: [checkpoint],
    metrics: { loss: lossAt(steps, steps) },
  });
}

async function recordStep(directory: string, step: number, steps: number): Promise<void> {
  const loss = lossAt(step, steps);
  const epoch = Math.ceil((step / steps) * epochs);
  await appendFile(join(directory, 'metrics.csv'), `${step},${epoch},${loss}\n`);
  const line = `step ${String(step).padStart(String(steps).length)}/${steps}  epoch ${epoch}/${epochs}  loss ${loss.toFixed(4)}\n`;
  await appendFile(join(directory, 'stdout.log'), line);
  if (step === 1 || step % Math.ceil(steps / epochs) === 0) process.stdout.write(line);
}

/** Falls as losses do, with a ripple; the same every time. */
function lossAt(step: number, steps: number): number {
  const loss = 0.35 + 2.2 * Math.exp((-3 * step) / steps) + 0.05 * Math.sin(step * 1.7);
  return Math.round(loss * 1e4) / 1e4;
}

async function saveCheckpoint(directory: string, step: number) {
  const path = `checkpoint-${step}/model.safetensors`;
  const weights = Buffer.alloc(64 * 1024, 1);
  await mkdir(join(directory, `checkpoint-${step}`), { recursive: true });
  await writeFile(join(directory, path), weights);
  process.stdout.write(`saved ${path}\n`);
  return { path, bytes: weights.length, savedAt: new Date().toISOString() };
}

/** Under another name first, then renamed: whoever reads it sees all of it or nothing. */
async function putWhole(file: string, document: object): Promise<void> {
  await writeFile(`${file}.tmp`, `${JSON.stringify(document, null, 2)}\n`);
  await rename(`${file}.tmp`, file);
}
