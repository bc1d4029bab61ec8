import type { ServerResponse } from 'node:http';
import { describe, expect, test } from 'vitest';
import { createHostTools } from '../../src/adapters/host-tools.ts';
import { systemClock } from '../../src/adapters/system-time.ts';
import { awsProbe } from '../../src/probes/aws.ts';
import { azureProbe } from '../../src/probes/azure.ts';
import { gcpProbe } from '../../src/probes/gcp.ts';
import type { HostTools } from '../../src/probes/host-tools.ts';
import type { CloudProbe } from '../../src/probes/probe.ts';
import { runpodRate } from '../../src/probes/runpod.ts';
import { vastRate } from '../../src/probes/vast.ts';
import { scriptedHttp } from '../support/scripted-http.ts';

const tools = createHostTools({ clock: systemClock, hostName: 'node-1', path: '/nowhere' });

/** A machine with these files of its firmware. */
const machine = (files: Readonly<Record<string, string>>): HostTools => ({
  ...tools,
  read: async (path) => files[path],
  request: () => Promise.reject(new Error('nothing is to be sent')),
});

describe('a cloud is recognised by its firmware, without a request', () => {
  const dmi = '/sys/class/dmi/id';
  test.each<[string, Record<string, string>, string[]]>([
    ['an EC2 instance', { [`${dmi}/sys_vendor`]: 'Amazon EC2\n' }, ['AWS metadata']],
    ['an EC2 instance on Xen', { '/sys/hypervisor/uuid': 'ec2e1916-9099\n' }, ['AWS metadata']],
    ['a VM of GCP', { [`${dmi}/product_name`]: 'Google Compute Engine\n' }, ['GCP metadata']],
    [
      'a VM of Azure',
      { [`${dmi}/chassis_asset_tag`]: '7783-7084-3265-9085-8269-3286-77\n' },
      ['Azure metadata'],
    ],
    ["a machine of one's own", { [`${dmi}/sys_vendor`]: 'Supermicro\n', [`${dmi}/product_name`]: 'X\n' }, []],
    ['a container without /sys', {}, []],
  ])('%s', async (_, files, expected) => {
    const probes = [awsProbe(), gcpProbe(), azureProbe()];
    const found = await Promise.all(
      probes.map(async (probe) => ((await probe.isHere(machine(files))) ? [probe.name] : [])),
    );
    expect(found.flat()).toEqual(expected);
  });
});

describe('AWS', () => {
  const token = 'PUT /latest/api/token';
  const id = 'GET /latest/meta-data/instance-id';

  test('is asked with a token', async () => {
    const { base, seen } = await scriptedHttp({ [token]: 'TOKEN==', [id]: 'i-0123456789abcdef0' });
    expect(await awsProbe(base).probe(tools)).toEqual({
      facts: { pod: { id: 'i-0123456789abcdef0', provider: 'aws' } },
      provenance: { 'pod.id': 'AWS metadata', 'pod.provider': 'AWS metadata' },
    });
    expect(seen[0]?.headers['x-aws-ec2-metadata-token-ttl-seconds']).toBe('60');
    expect(seen[1]?.headers['x-aws-ec2-metadata-token']).toBe('TOKEN==');
  });

  test('without a token is not asked further', async () => {
    const { base, seen } = await scriptedHttp({ [id]: 'i-0123456789abcdef0' });
    expect(await awsProbe(base).probe(tools)).toBeUndefined();
    expect(seen).toHaveLength(1);
  });
});

test('GCP tells the number of the instance as text', async () => {
  const { base, seen } = await scriptedHttp({
    'GET /computeMetadata/v1/instance/id': '9223372036854775807',
  });
  expect((await gcpProbe(base).probe(tools))?.facts).toEqual({
    pod: { id: '9223372036854775807', provider: 'gcp' },
  });
  expect(seen[0]?.headers['metadata-flavor']).toBe('Google');
});

test('Azure tells the id of the machine', async () => {
  const vmId = '13f56399-bd52-4150-9748-7190aae1ff21';
  const path = '/metadata/instance/compute/vmId?api-version=2021-02-01&format=text';
  const { base, seen } = await scriptedHttp({ [`GET ${path}`]: vmId });
  expect((await azureProbe(base).probe(tools))?.facts).toEqual({ pod: { id: vmId, provider: 'azure' } });
  expect(seen[0]?.headers['metadata']).toBe('true');
});

const clouds: [string, (base: string) => CloudProbe][] = [
  ['AWS', awsProbe],
  ['GCP', gcpProbe],
  ['Azure', azureProbe],
];

test.each(clouds)('%s that answers with something else tells nothing', async (_, probe) => {
  const anything = (response: ServerResponse) => void response.writeHead(200).end('<html>log in</html>');
  const { base } = await scriptedHttp({
    'PUT /latest/api/token': 'a token\nwith a line break',
    'GET /latest/meta-data/instance-id': anything,
    'GET /computeMetadata/v1/instance/id': anything,
    'GET /metadata/instance/compute/vmId?api-version=2021-02-01&format=text': anything,
  });
  expect(await probe(base).probe(tools)).toBeUndefined();
});

describe('the price of a pod', () => {
  const runpod = 'GET /v1/pods/xedezhzb9la3ye';
  const vast = 'GET /api/v0/instances/38250/';

  test.each<[string, object, number]>([
    ['is what is paid', { adjustedCostPerHr: 0.69, costPerHr: '0.74', env: { HF_TOKEN: 'hf_x' } }, 0.69],
    ['is the list price where nothing else is said', { adjustedCostPerHr: null, costPerHr: '0.74' }, 0.74],
  ])('of RunPod %s', async (_, answer, costPerHour) => {
    const { base, seen } = await scriptedHttp({ [runpod]: JSON.stringify(answer) });
    const found = await runpodRate(base).ask('xedezhzb9la3ye', 'rpa_key', tools);
    expect(found).toEqual({
      facts: { pod: { costPerHour, currency: 'USD' } },
      provenance: { 'pod.costPerHour': 'RunPod API', 'pod.currency': 'RunPod API' },
    });
    expect(seen[0]?.headers.authorization).toBe('Bearer rpa_key');
  });

  test('of Vast.ai is the whole one', async () => {
    const instances = { id: 38250, dph_base: 1, dph_total: 1.0020740740740741 };
    const { base } = await scriptedHttp({ [vast]: JSON.stringify({ instances }) });
    const found = await vastRate(base).ask('38250', 'key', tools);
    expect(found).toMatchObject({ facts: { pod: { costPerHour: 1.0020740740740741, currency: 'USD' } } });
  });

  test.each([
    ['{"costPerHr":"free","env":{"HF_TOKEN":"hf_secret"}}', 'the answer has none'],
    ['{"costPerHr":-1}', 'the answer has none'],
    ['{"instances":null}', 'the answer has none'],
    ['[]', 'the answer has none'],
    ['not JSON', 'the answer has none'],
    [undefined, 'it answers 404'],
  ])('is absent where the answer is %j', async (answer, why) => {
    const { base } = await scriptedHttp(answer === undefined ? {} : { [runpod]: answer, [vast]: answer });
    for (const found of [
      await runpodRate(base).ask('xedezhzb9la3ye', 'rpa_key', tools),
      await vastRate(base).ask('38250', 'rpa_key', tools),
    ]) {
      expect(found).toMatchObject({ problem: expect.stringContaining(why) });
      expect(JSON.stringify(found)).not.toMatch(/rpa_key|hf_secret/);
    }
  });

  test.each([
    [{ provider: 'runpod', id: '../../secrets' }, [undefined, undefined]],
    [{ provider: 'runpod', id: 'abc' }, ['abc', undefined]],
    [{ provider: 'vast.ai', id: '38250' }, [undefined, '38250']],
    [{ provider: 'vast.ai', id: '38250/' }, [undefined, undefined]],
    [{ provider: 'aws', id: 'abc' }, [undefined, undefined]],
    [{ id: 'abc' }, [undefined, undefined]],
  ])('of %j is asked for as %j', (pod, expected) => {
    expect([runpodRate().podOf(pod), vastRate().podOf(pod)]).toEqual(expected);
  });
});
