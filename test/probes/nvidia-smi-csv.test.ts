import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { HostTools } from '../../src/probes/host-tools.ts';
import { nvidiaSmiProbe } from '../../src/probes/nvidia-smi.ts';
import { parseSmiCsv, smiHeader, smiRow } from '../../src/probes/nvidia-smi-csv.ts';

const rows = (text: string) => parseSmiCsv(text).map((row) => Object.fromEntries(row));

test('cells are found by the name of their column, units taken off', () => {
  const text = 'memory.used [MiB], index, name\n841 MiB, 0, NVIDIA GeForce RTX 2070\n12, 1, A 2\n';
  expect(rows(text)).toEqual([
    { 'memory.used': '841', index: '0', name: 'NVIDIA GeForce RTX 2070' },
    { 'memory.used': '12', index: '1', name: 'A 2' },
  ]);
});

test('a header that is repeated is no row, and another one holds from there on', () => {
  const text = 'index, name\r\n0, A40\r\nindex, name\r\n0, A40\r\nname, index\r\nA40, 0\r\n';
  expect(rows(text)).toEqual([
    { index: '0', name: 'A40' },
    { index: '0', name: 'A40' },
    { index: '0', name: 'A40' },
  ]);
});

test('what a GPU does not know is left out', () => {
  const text = 'name, power.draw [W], fan.speed [%]\nA40, [N/A], [Not Supported]\n';
  expect(rows(text)).toEqual([{ name: 'A40' }]);
});

test.each([
  ['nothing', ''],
  ['cells without a header', '0, NVIDIA A40\n'],
  ['a row that is cut', 'index, name, uuid\n0, NVIDIA A40\n'],
  ['words of the driver', 'NVIDIA-SMI has failed because it could not communicate with the NVIDIA driver.\n'],
  ['another program', 'Date,Time,Temperature,Power Used\n04-03-2021,13:32:39,58,1\n'],
  ['a header of its own making', 'timestamp,gpu_util(%),memory_used(MB)\n1740565077.4,0,4851.00\n'],
  ['a line without an end', `index, name\n${'x'.repeat(10_000)}, y\n`],
  ['very many columns', `${'name, '.repeat(1000)}\n`],
])('%s says nothing', (_, text) => {
  expect(rows(text)).toEqual([]);
});

test('a text of any length gives a bounded number of rows', () => {
  expect(rows(`name\n${'A40\n'.repeat(20_000)}`)).toHaveLength(4096);
});

describe('real logs', () => {
  const samples = join(import.meta.dirname, '..', '..', '..', 'shared', 'samples', 'gpu');
  const sample = (name: string) => readFileSync(join(samples, name), 'utf8');

  test.skipIf(!existsSync(samples))('are read by name', () => {
    const usage = rows(sample('AkshayRoyal__gpu-usage__gpu_usage.csv'));
    expect(usage.length).toBeGreaterThan(10);
    expect(usage[0]).toMatchObject({ name: 'NVIDIA GeForce RTX 2070', 'utilization.gpu': '22' });
    expect(usage[0]).toMatchObject({ timestamp: '2023/06/22 18:56:56.252', 'memory.total': '8192' });
    const stats = rows(sample('daspronoy__zetascope-codes__gpu_stats.csv'));
    expect(stats[0]).toMatchObject({ name: 'Orin', 'temperature.gpu': '45.218', 'memory.used': '26133' });
  });

  test.skipIf(!existsSync(samples))('of other programs say nothing', () => {
    expect(rows(sample('Adial314__nvidia-monitor__gpu_log.csv@10011383'))).toEqual([]);
    expect(rows(sample('ratcht__camouflaged-poisoning__gpu_stats.csv'))).toEqual([]);
  });
});

test('line by line it says the same', () => {
  const columns = smiHeader('name, memory.used [MiB]') ?? [];
  expect(columns).toEqual([
    { name: 'name', unit: '' },
    { name: 'memory.used', unit: 'MiB' },
  ]);
  expect(smiRow(columns, 'A40, 1 MiB')).toEqual(
    new Map([
      ['name', 'A40'],
      ['memory.used', '1'],
    ]),
  );
  expect(smiRow(columns, 'A40')).toBeUndefined();
});

describe('the probe', () => {
  const tools = (output: string | undefined): HostTools => ({
    hostName: 'node-1',
    run: async () => output,
    read: async () => undefined,
    request: async () => ({ problem: 'nobody is there' }),
  });

  test('tells kind and number of GPUs that are alike', async () => {
    const found = await nvidiaSmiProbe.probe(tools('index, name\n0, NVIDIA A40\n1, NVIDIA A40\n'));
    expect(found).toEqual({
      facts: { pod: { gpuType: 'NVIDIA A40', gpuCount: 2 } },
      provenance: { 'pod.gpuType': 'nvidia-smi', 'pod.gpuCount': 'nvidia-smi' },
    });
  });

  test('of several kinds tells the number alone', async () => {
    const found = await nvidiaSmiProbe.probe(tools('index, name\n0, NVIDIA A40\n1, NVIDIA L4\n'));
    expect(found?.facts).toEqual({ pod: { gpuCount: 2 } });
  });

  test.each([undefined, '', 'No devices were found\n'])('says nothing when it gets %j', async (output) => {
    expect(await nvidiaSmiProbe.probe(tools(output))).toBeUndefined();
  });
});
