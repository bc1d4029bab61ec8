import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { probedVariables, probeRegistry } from '../../src/probes/registry.ts';

const text = readFileSync(new URL('../../docs/probes.md', import.meta.url), 'utf8');

test('docs/probes.md names every variable that is read, and every name of a key, and no other', () => {
  const keys = probeRegistry.rates.flatMap((rate) => rate.keys);
  const switches = probeRegistry.clouds.flatMap((cloud) => cloud.switchedOffBy ?? []);
  const named = [...text.matchAll(/`([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)`/g)].map(([, name]) => name);
  expect([...new Set(named)].toSorted()).toEqual([...probedVariables, ...keys, ...switches].toSorted());
});

test('docs/probes.md names every source that a provenance may name', () => {
  const { clouds, rates, gpus, host } = probeRegistry;
  for (const { name } of [...clouds, ...rates, gpus, host]) expect(text).toContain(`\`${name}\``);
});
