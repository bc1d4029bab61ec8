import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { z } from 'zod';
import description from '../../package.json' with { type: 'json' };
import { optionKeys, variableOf } from '../../src/config/schema.ts';
import { probedVariables } from '../../src/probes/registry.ts';
import { load } from '../config/support.ts';
import { refusals } from './api-schema.ts';
import { beyondRestricted, type Container, type Pod, podSchema } from './pod-security.ts';

const project = join(import.meta.dirname, '..', '..');
const directory = join(project, 'config', 'kubernetes');
const files = readdirSync(directory);
const dockerfile = readFileSync(join(project, 'Dockerfile'), 'utf8');
const templated = z.looseObject({ spec: z.looseObject({ template: z.looseObject({ spec: podSchema }) }) });

function documents(file: string): unknown[] {
  return parseAllDocuments(readFileSync(join(directory, file), 'utf8')).map((one) => {
    if (one.errors.length > 0) throw new Error(`${file}: ${one.errors.join(', ')}`);
    return one.toJS();
  });
}

function podOf(file: string): Pod {
  const [found] = documents(file).flatMap((one) => {
    const { data } = templated.safeParse(one);
    return data ? [data.spec.template.spec] : [];
  });
  if (!found) throw new Error(`there is no pod in ${file}`);
  return found;
}

function containersOf({ initContainers = [], containers }: Pod): Container[] {
  return [...initContainers, ...containers];
}

/** The image's ENV, then what the manifest sets; a value from elsewhere is some text. */
function environmentOf({ env = [] }: Container): Record<string, string> {
  const image = [...dockerfile.matchAll(/^(?:ENV| {4}) ?([A-Z_]+)=(\S+)/gm)].map(([, name, value]) => [
    name,
    value,
  ]);
  return {
    ...Object.fromEntries(image),
    ...Object.fromEntries(env.map(({ name, value }) => [name, value ?? 'x'])),
  };
}

const jobs = ['native-sidecar.yaml', 'classic-sidecar.yaml', 'job-exec.yaml'];

describe('config/kubernetes', () => {
  test.each(files)('%s is what the API server takes', (file) => {
    expect(documents(file).flatMap(refusals)).toEqual([]);
  });

  test('the schema refuses what it does not know, misses or finds of another type', () => {
    const [, job] = documents('native-sidecar.yaml');
    const text = JSON.stringify(job)
      .replace('livenessProbe', 'livenesProbe')
      .replace('"terminationGracePeriodSeconds":900', '"terminationGracePeriodSeconds":"900"')
      .replace('"name":"trainer",', '');
    expect(refusals(JSON.parse(text))).toHaveLength(3);
    expect(refusals({ apiVersion: 'v1', kind: 'Nothing' })).toHaveLength(1);
  });

  test.each(jobs)('%s is restricted in the sense of Pod Security, for one user', (file) => {
    expect(beyondRestricted(podOf(file))).toEqual([]);
    const { securityContext } = podOf(file);
    expect(securityContext).toMatchObject({ runAsUser: 10_001, runAsGroup: 10_001, fsGroup: 10_001 });
  });

  test('daemonset.yaml goes beyond that by what it says of itself, and no further', () => {
    expect(beyondRestricted(podOf('daemonset.yaml'))).toEqual([
      'hostNetwork',
      'hostPath: /data/training-output',
      'hostPath: /var/lib/trainlogd',
      'trainlogd: adds DAC_READ_SEARCH',
      'trainlogd: hostPort 9464',
      'trainlogd: may run as root',
    ]);
    const [namespace] = documents('daemonset.yaml');
    expect(namespace).toMatchObject({
      metadata: { labels: { 'pod-security.kubernetes.io/enforce': 'privileged' } },
    });
  });

  test.each([...jobs, 'daemonset.yaml'])(
    'in %s trainlogd is this version, and is told what it understands',
    (file) => {
      const known = new Set([...optionKeys.map(variableOf), ...probedVariables]);
      const pod = podOf(file);
      const ours = containersOf(pod).filter(({ image }) => image.includes('/trainlogd:'));
      for (const { image } of ours) expect(image).toBe(`images.example.com/trainlogd:${description.version}`);
      for (const container of containersOf(pod).filter(({ env }) => env !== undefined)) {
        const names = (container.env ?? []).map(({ name }) => name);
        const others = ['S3_BUCKET_NAME', 'AWS_REGION', 'HOME'];
        expect(names.filter((name) => !known.has(name) && !others.includes(name))).toEqual([]);
        const { config, warnings } = load({ env: environmentOf(container) });
        expect(warnings).toEqual([]);
        expect(config.watch.directory).toBe('/training-output');
        const mounts = new Map(
          container.volumeMounts?.map(({ mountPath, readOnly }) => [mountPath, readOnly ?? false]),
        );
        expect(mounts.has('/training-output')).toBe(true);
        expect(mounts.get(config.state.directory)).toBe(false);
        const graceMs = (pod.terminationGracePeriodSeconds ?? 30) * 1000;
        expect(graceMs - config.drain.timeoutMs).toBeGreaterThanOrEqual(20_000);
        if (jobs.includes(file)) expect([graceMs, config.drain.timeoutMs]).toEqual([900_000, 870_000]);
      }
    },
  );

  test('the Dockerfile labels the image with this version, and asks the program whether it is healthy', () => {
    expect(dockerfile).toContain(`\nARG VERSION=${description.version}\n`);
    expect(dockerfile).toMatch(/HEALTHCHECK .* CMD \["\/usr\/bin\/trainlogd", "status", "--json"\]\n/);
  });

  test('the sidecar of native-sidecar.yaml goes on beside the trainer, the other one ends by itself', () => {
    const [sidecar] = podOf('native-sidecar.yaml').initContainers ?? [];
    expect(sidecar).toMatchObject({ name: 'trainlogd', restartPolicy: 'Always', args: ['run'] });
    expect(sidecar?.['startupProbe']).toBeUndefined();
    const [, second] = podOf('classic-sidecar.yaml').containers;
    expect(second?.args).toEqual(['run', expect.stringMatching(/^--exit-when-done=/)]);
  });

  // So that a sidecar sees the trainer, and that `exec` is not process 1, which has orphans to bury.
  test('processes are shared in every Job', () => {
    for (const file of jobs) expect(podOf(file).shareProcessNamespace).toBe(true);
  });

  test('podmonitor.yaml finds the pods and the port of the others', () => {
    const [monitor] = documents('podmonitor.yaml');
    expect(monitor).toMatchObject({
      spec: {
        selector: { matchLabels: { 'trainlogd-metrics': 'true' } },
        podMetricsEndpoints: [
          { port: 'trainlogd', relabelings: [{ targetLabel: 'job', replacement: 'trainlogd' }] },
        ],
      },
    });
    for (const file of ['native-sidecar.yaml', 'classic-sidecar.yaml', 'daemonset.yaml']) {
      expect(readFileSync(join(directory, file), 'utf8')).toContain('trainlogd-metrics: "true"');
      const agent = containersOf(podOf(file)).find(({ name }) => name === 'trainlogd');
      expect(agent?.ports).toMatchObject([{ name: 'trainlogd', containerPort: 9464 }]);
      expect(agent).toMatchObject({
        livenessProbe: { httpGet: { path: '/healthz', port: 'trainlogd' } },
        readinessProbe: { httpGet: { path: '/readyz', port: 'trainlogd' } },
      });
    }
  });
});
