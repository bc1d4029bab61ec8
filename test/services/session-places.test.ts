import { describe, expect, test } from 'vitest';
import { FileFailure } from '../../src/domain/failure.ts';
import { type FactSource, mergeFacts } from '../../src/domain/merge-facts.ts';
import type { HostTools } from '../../src/probes/host-tools.ts';
import type { Unanswered } from '../../src/probes/probe.ts';
import { type ProbeRegistry, probeRegistry } from '../../src/probes/registry.ts';
import { type PlacesOptions, SessionPlaces, type Witness } from '../../src/services/session-places.ts';
import { FakeClock } from '../fakes/fake-clock.ts';
import { FakeProcesses } from '../fakes/fake-processes.ts';
import { MemoryFolder } from '../fakes/memory-folder.ts';
import { Recorder } from '../support/services.ts';

const twoGpus = 'index, name\n0, NVIDIA A40\n1, NVIDIA A40\n';

/** One session `run` on a machine of which everything is known by the test. */
class Machine {
  readonly clock = new FakeClock();
  readonly folder = new MemoryFolder({ clock: this.clock });
  readonly processes = new FakeProcesses();
  readonly events = new Recorder();
  readonly asked: string[] = [];
  /** What nvidia-smi says. */
  gpus: string | undefined;
  /** The provider's answers, in turn; the last one stays. */
  rates: ({ costPerHour: number } | Unanswered)[] = [];
  network = false;
  own: Record<string, string> = {};
  options: Partial<PlacesOptions> = {};
  #places: SessionPlaces | undefined;

  constructor() {
    this.processes.start(1, this.clock.nowMs() - 60_000);
    this.folder.write('run/train.log', 'x');
  }

  async of(known: readonly FactSource[] = [], witness: Partial<Witness> = {}) {
    const { place } = await this.place(known, witness);
    const fallback = place.otherwise ? [place.otherwise] : [];
    const { facts, provenance } = mergeFacts([...known, ...place.told, ...fallback]);
    return { pod: facts.pod, user: facts.user, provenance, warnings: place.warnings };
  }

  async place(known: readonly FactSource[] = [], seen: Partial<Witness> = {}) {
    const listing = await this.folder.scan('run', new AbortController().signal);
    const files = listing?.entries.filter(({ kind }) => kind === 'file') ?? [];
    const witness = { trainer: undefined, seenHere: false, ...seen };
    this.#places ??= new SessionPlaces({
      source: this.folder,
      processes: this.processes,
      clock: this.clock,
      events: this.events,
      tools: this.#tools(),
      registry: this.#registry(),
      own: this.own,
      network: () => this.network,
      defaults: undefined,
      cloudMetadata: 'off',
      providerApi: 'off',
      ...this.options,
    });
    const session = { root: 'run', kind: 'directory' as const, files };
    return { place: await this.#places.of(session, witness, known), witness };
  }

  #tools(): HostTools {
    return {
      hostName: 'node-1',
      run: async (program) => {
        this.asked.push(program);
        return this.gpus;
      },
      read: async () => undefined,
      request: () => Promise.reject(new Error('nothing is to be sent')),
    };
  }

  #registry(): ProbeRegistry {
    const cloud = (name: string, isHere: boolean, switchedOffBy: string) => ({
      name,
      switchedOffBy,
      isHere: async () => isHere,
      probe: async () => {
        this.asked.push(name);
        return { facts: { pod: { id: 'i-1', provider: name } }, provenance: { 'pod.id': name } };
      },
    });
    const [rate] = probeRegistry.rates;
    if (!rate) throw new Error('there is a rate probe');
    return {
      ...probeRegistry,
      clouds: [cloud('cloud-1', false, 'CLOUD_1_OFF'), cloud('cloud-2', true, 'CLOUD_2_OFF')],
      rates: [
        {
          ...rate,
          ask: async (pod, key) => {
            this.asked.push(`${pod} with ${key}`);
            const answer = (this.rates.length > 1 ? this.rates.shift() : this.rates[0]) ?? {
              problem: 'no',
              isSilent: false,
            };
            if ('problem' in answer) return answer;
            const provenance = { 'pod.costPerHour': rate.name, 'pod.currency': rate.name };
            return { facts: { pod: { ...answer, currency: 'USD' } }, provenance };
          },
        },
      ],
    };
  }
}

const native = (pod: object): FactSource => ({ source: 'session.json', facts: { pod }, provenance: {} });
const configured = (pod: object): FactSource => ({ source: 'defaults', facts: { pod }, provenance: {} });

describe('session.env', () => {
  test("is the training's own word, before the environment of the agent", async () => {
    const machine = new Machine();
    machine.own = { RUNPOD_POD_ID: 'agent', RUNPOD_GPU_COUNT: '8' };
    machine.folder.write('run/session.env', 'SLURM_JOB_ID=5109\nSLURM_JOB_USER=ada\nHF_TOKEN=hf_secret\n');
    const { pod, user, provenance } = await machine.of();
    expect(pod).toMatchObject({ id: '5109', provider: 'slurm', gpuCount: 8 });
    expect(user).toEqual({ username: 'ada' });
    expect(provenance).toMatchObject({
      'pod.id': 'session.env: SLURM_JOB_ID',
      'pod.gpuCount': 'environment: RUNPOD_GPU_COUNT',
      'user.username': 'session.env: SLURM_JOB_USER',
    });
  });

  test("says nothing that the training's files say otherwise", async () => {
    const machine = new Machine();
    machine.folder.write('run/session.env', 'SLURM_JOB_ID=5109\n');
    expect((await machine.of([native({ id: 'pod-7' })])).pod).toMatchObject({ id: 'pod-7' });
  });

  test('is read up to a bound, and where it cannot be read, the log says so', async () => {
    const machine = new Machine();
    machine.folder.write('run/session.env', `SLURM_JOB_ID=5109\n${'#\n'.repeat(40_000)}SLURM_JOB_USER=ada\n`);
    const long = await machine.of();
    expect(long).toMatchObject({ pod: { id: '5109' }, user: undefined });
    expect(long.warnings).toEqual(['session.env: 80037 bytes, more than the 65536 that are read']);
    machine.folder.failOpen(
      'run/session.env',
      new FileFailure('unreadable', 'EACCES', 'opening: EACCES', ''),
    );
    const unreadable = await machine.of();
    expect(unreadable.pod).toEqual({ id: 'node-1' });
    expect(unreadable.warnings).toEqual(['session.env: opening: EACCES']);
  });

  test('with a secret in the place of a name has it redacted', async () => {
    const machine = new Machine();
    machine.own = { RUNPOD_POD_ID: 'p', RUNPOD_GPU_NAME: 'ada@example.com' };
    const { pod, warnings } = await machine.of();
    expect(pod?.gpuType).toBe('[redacted]');
    expect(warnings).toEqual(['pod.gpuType looked like a secret or an e-mail address and is redacted']);
  });
});

describe('the environment of the process', () => {
  test('counts below session.env and above that of the agent', async () => {
    const machine = new Machine();
    machine.own = { CUDA_VISIBLE_DEVICES: '0', SLURM_JOB_ID: '1' };
    machine.folder.write('run/session.pid', '7');
    machine.folder.write('run/session.env', 'CUDA_VISIBLE_DEVICES=0,1\n');
    const trainer = { CUDA_VISIBLE_DEVICES: '0,1,2', SLURM_JOB_ID: '5109' };
    const { pod, provenance } = await machine.of([], { trainer });
    expect(pod).toMatchObject({ id: '5109', gpuCount: 2 });
    expect(provenance).toMatchObject({
      'pod.id': 'process: SLURM_JOB_ID',
      'pod.gpuCount': 'session.env: CUDA_VISIBLE_DEVICES',
    });
  });

  test('is read of the process that session.pid names, if it is to be believed', async () => {
    const machine = new Machine();
    machine.folder.write('run/session.pid', '7');
    machine.processes.start(7, machine.clock.nowMs() - 1000);
    machine.processes.environments.set(7, { SLURM_JOB_ID: '5109', HF_TOKEN: 'hf_secret' });
    const listing = await machine.folder.scan('run', new AbortController().signal);
    const places = new SessionPlaces({
      ...{ source: machine.folder, processes: machine.processes, clock: machine.clock },
      ...{ events: machine.events, registry: probeRegistry, own: {}, network: () => false },
      ...{ defaults: undefined, cloudMetadata: 'off', providerApi: 'off' },
      tools: { hostName: '', run: async () => undefined, read: async () => undefined } as never,
    });
    const session = { root: 'run', kind: 'directory' as const, files: listing?.entries ?? [] };
    expect(await places.witness(session)).toEqual({ trainer: { SLURM_JOB_ID: '5109' }, seenHere: false });
    machine.processes.environments.delete(7);
    expect(await places.witness(session)).toMatchObject({ trainer: {} });
    machine.processes.kill(7);
    expect(await places.witness(session)).toMatchObject({ trainer: undefined });
  });
});

describe('the environment of the agent', () => {
  test('counts where nothing says that the training has another', async () => {
    const machine = new Machine();
    machine.own = { SLURM_JOB_ID: '5109', CUDA_VISIBLE_DEVICES: '0,1', SLURM_JOB_USER: 'ada' };
    const { pod, user, provenance } = await machine.of();
    expect(pod).toEqual({ id: '5109', provider: 'slurm', gpuCount: 2 });
    expect(user).toEqual({ username: 'ada' });
    expect(provenance).toMatchObject({ 'pod.id': 'environment: SLURM_JOB_ID' });
  });

  test.each(['session.env', 'session.pid'])(
    'of a sidecar is that of the pod, not of the training: %s',
    async (name) => {
      const machine = new Machine();
      machine.own = {
        ...{ SLURM_JOB_ID: '5109', CUDA_VISIBLE_DEVICES: '0,1' },
        ...{ POD_NAME: 'train-0', POD_NAMESPACE: 'ml' },
      };
      machine.folder.write(`run/${name}`, '');
      expect((await machine.of()).pod).toEqual({ id: 'ml/train-0', provider: 'kubernetes' });
    },
  );

  test('names no place beside one that the training names', async () => {
    const machine = new Machine();
    machine.own = { RUNPOD_POD_ID: 'p', RUNPOD_GPU_NAME: 'NVIDIA+A40' };
    machine.folder.write('run/session.env', 'KUBERNETES_SERVICE_HOST=10.0.0.1\n');
    const { pod } = await machine.of();
    expect(pod).toEqual({ id: 'node-1', provider: 'kubernetes', gpuType: 'NVIDIA A40' });
  });

  test('says nothing about a session that is older than its job', async () => {
    const machine = new Machine();
    const startedAt = Math.floor(machine.clock.nowMs() / 1000) + 5;
    machine.own = { SLURM_JOB_ID: '5109', SLURM_JOB_START_TIME: String(startedAt) };
    expect((await machine.of()).pod).toEqual({ id: 'node-1' });
    await machine.clock.advance(10_000);
    machine.folder.write('run/train.log', 'y');
    expect((await machine.of()).pod).toMatchObject({ id: '5109' });
  });

  test('says nothing about a session that rests since before the machine started', async () => {
    const machine = new Machine();
    machine.own = { RUNPOD_POD_ID: 'p' };
    machine.gpus = twoGpus;
    machine.processes.start(1, machine.clock.nowMs() + 1000);
    expect((await machine.of()).pod).toBeUndefined();
    expect(machine.asked).toEqual([]);
  });

  test('on a network file system says something only about a session that is seen on this machine', async () => {
    const machine = new Machine();
    machine.own = { RUNPOD_POD_ID: 'p' };
    machine.network = true;
    expect((await machine.of()).pod).toBeUndefined();
    expect((await machine.of([], { trainer: {} })).pod).toMatchObject({ id: 'p' });
    const [entry] = (await machine.folder.scan('run', new AbortController().signal))?.entries ?? [];
    machine.processes.openFiles.add(`${entry?.stat.dev}:${entry?.stat.ino}`);
    const { place, witness } = await machine.place();
    expect(place.otherwise?.facts.pod).toMatchObject({ id: 'p' });
    // What was seen once is remembered with the session.
    machine.processes.openFiles.clear();
    expect(witness.seenHere).toBe(true);
    expect((await machine.of([], witness)).pod).toMatchObject({ id: 'p' });
  });
});

describe('the machine', () => {
  test("tells its GPUs; how many only where they are all the pod's", async () => {
    const shared = new Machine();
    shared.gpus = twoGpus;
    expect((await shared.of()).pod).toEqual({ id: 'node-1', gpuType: 'NVIDIA A40' });
    const own = new Machine();
    own.gpus = twoGpus;
    own.own = { VAST_CONTAINERLABEL: 'C.38250' };
    const { pod, provenance } = await own.of();
    expect(pod).toEqual({ id: '38250', provider: 'vast.ai', gpuType: 'NVIDIA A40', gpuCount: 2 });
    expect(provenance['pod.gpuCount']).toBe('nvidia-smi');
  });

  test('is asked once for all sessions, after an hour again', async () => {
    const machine = new Machine();
    machine.gpus = twoGpus;
    await Promise.all([machine.of(), machine.of(), machine.of()]);
    await machine.clock.advance(50 * 60_000);
    await machine.of();
    expect(machine.asked.filter((what) => what === 'nvidia-smi')).toHaveLength(1);
    await machine.clock.advance(20 * 60_000);
    await machine.of();
    expect(machine.asked.filter((what) => what === 'nvidia-smi')).toHaveLength(2);
  });

  test('that had no answer is asked again after ten minutes', async () => {
    const machine = new Machine();
    await machine.of();
    await machine.clock.advance(9 * 60_000);
    await machine.of();
    expect(machine.asked).toEqual(['nvidia-smi']);
    machine.gpus = twoGpus;
    await machine.clock.advance(2 * 60_000);
    expect((await machine.of()).pod).toMatchObject({ gpuType: 'NVIDIA A40' });
  });

  test('is not asked for what is known', async () => {
    const machine = new Machine();
    machine.options = { cloudMetadata: 'on' };
    await machine.of([native({ id: 'pod-7', gpuType: 'H100' })]);
    expect(machine.asked).toEqual([]);
  });

  test('gives its name where nobody knows better, the configuration neither', async () => {
    const machine = new Machine();
    machine.options = { defaults: configured({ id: 'rack-7' }) };
    expect((await machine.of()).pod).toEqual({ id: 'rack-7' });
    expect(await new Machine().of()).toMatchObject({
      pod: { id: 'node-1' },
      provenance: { 'pod.id': 'host name' },
    });
  });
});

describe('the metadata service', () => {
  test.each<[PlacesOptions['cloudMetadata'], Record<string, string>, string[]]>([
    ['auto', {}, ['cloud-2']],
    ['on', {}, ['cloud-1', 'cloud-2']],
    ['off', {}, []],
    ['auto', { CLOUD_2_OFF: 'true' }, []],
    ['auto', { CLOUD_2_OFF: 'false' }, ['cloud-2']],
    ['auto', { RUNPOD_POD_ID: 'p' }, []],
  ])('%s with %j asks %j', async (cloudMetadata, own, asked) => {
    const machine = new Machine();
    machine.own = own;
    machine.options = { cloudMetadata };
    const { pod } = await machine.of();
    expect(machine.asked.filter((what) => what !== 'nvidia-smi')).toEqual(asked);
    if (asked.length > 0) expect(pod).toEqual({ id: 'i-1', provider: asked[0] });
  });
});

describe('the price', () => {
  const priced = (defaults?: FactSource): Machine => {
    const machine = new Machine();
    machine.own = { RUNPOD_POD_ID: 'p', RUNPOD_API_KEY: 'rpa_key' };
    machine.rates = [{ costPerHour: 0.69 }];
    machine.options = { providerApi: 'on', defaults };
    return machine;
  };
  const prices = (pod: { costPerHour?: number | undefined; currency?: string | undefined } = {}) => [
    pod.costPerHour,
    pod.currency,
  ];

  test('is not asked for unless that is configured', async () => {
    const machine = priced();
    machine.options = { providerApi: 'off' };
    expect(prices((await machine.of()).pod)).toEqual([undefined, undefined]);
    expect(machine.asked).not.toContain('p with rpa_key');
  });

  test("is the provider's where neither the session nor the configuration knows one", async () => {
    const machine = priced();
    const { pod, provenance } = await machine.of();
    expect(prices(pod)).toEqual([0.69, 'USD']);
    expect(provenance['pod.costPerHour']).toBe('RunPod API');
    await machine.of();
    expect(machine.asked.filter((what) => what === 'p with rpa_key')).toHaveLength(1);
  });

  test("of the configuration goes before the provider's, that of the session before both", async () => {
    const machine = priced(configured({ costPerHour: 2, currency: 'EUR' }));
    expect(prices((await machine.of()).pod)).toEqual([2, 'EUR']);
    expect(prices((await machine.of([native({ costPerHour: 3 })])).pod)).toEqual([3, 'EUR']);
    expect(machine.asked).not.toContain('p with rpa_key');
  });

  test('is never one with the currency of another', async () => {
    expect(prices((await priced(configured({ currency: 'EUR' })).of()).pod)).toEqual([0.69, 'USD']);
    const machine = priced();
    expect(prices((await machine.of([native({ costPerHour: 3 })])).pod)).toEqual([3, undefined]);
    expect(prices((await machine.of([native({ currency: 'EUR' })])).pod)).toEqual([undefined, 'EUR']);
    const silent = priced(configured({ currency: 'EUR' }));
    silent.rates = [{ problem: 'it answers 500', isSilent: false }];
    expect(prices((await silent.of()).pod)).toEqual([undefined, undefined]);
  });

  test('that cannot be had is said once, without the key, and asked for again', async () => {
    const machine = priced();
    const refused = { problem: 'it answers 401', isSilent: false };
    machine.rates = [refused, refused, { costPerHour: 0.69 }];
    for (let round = 0; round < 2; round++) {
      expect(prices((await machine.of()).pod)).toEqual([undefined, undefined]);
      await machine.clock.advance(11 * 60_000);
    }
    expect(prices((await machine.of()).pod)).toEqual([0.69, 'USD']);
    expect(machine.events.of('config.warning')).toEqual([
      { problem: 'probes.providerApi: it answers 401: check RUNPOD_API_KEY; it is asked again' },
    ]);
  });

  test('of another pod is not waited for while the provider is silent', async () => {
    const machine = priced();
    machine.rates = [{ problem: 'no answer within 2000 ms', isSilent: true }, { costPerHour: 0.69 }];
    await machine.of();
    machine.folder.write('run/session.env', 'RUNPOD_POD_ID=q\n');
    expect(prices((await machine.of()).pod)).toEqual([undefined, undefined]);
    expect(machine.asked).not.toContain('q with rpa_key');
    await machine.clock.advance(11 * 60_000);
    expect(prices((await machine.of()).pod)).toEqual([0.69, 'USD']);
    expect(machine.asked).toContain('q with rpa_key');
  });

  test.each(['', 'two words', 'line\nbreak'])('is not asked for with the key %j', async (key) => {
    const machine = priced();
    machine.own = { RUNPOD_POD_ID: 'p', RUNPOD_API_KEY: key };
    await machine.of();
    await machine.of();
    expect(machine.asked).not.toContain(`p with ${key}`);
    expect(machine.events.of('config.warning')).toEqual([
      { problem: 'probes.providerApi: there is no key for the RunPod API: set RUNPOD_API_KEY for trainlogd' },
    ]);
  });

  test('is never asked for with a key of the training', async () => {
    const machine = priced();
    machine.own = {};
    machine.folder.write('run/session.env', 'RUNPOD_POD_ID=p\nRUNPOD_API_KEY=rpa_theirs\n');
    expect((await machine.of()).pod).toMatchObject({ id: 'p', provider: 'runpod' });
    expect(machine.asked).not.toContain('p with rpa_theirs');
  });
});
