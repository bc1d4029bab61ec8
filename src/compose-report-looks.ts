import { CallerIdentity } from './adapters/caller-identity.ts';
import type { S3Access } from './adapters/s3-access.ts';
import type { Config } from './config/schema.ts';
import { type BriefLook, lookBriefly } from './doctor/brief-look.ts';
import { type DiskOf, roomAt, roomFindings } from './doctor/disk.ts';
import type { Limits } from './doctor/patient.ts';
import { type Hide, hider } from './doctor/secrets.ts';
import { defaultLimits } from './doctor/visit.ts';
import type { Finding } from './domain/finding.ts';
import type { Clock } from './ports/clock.ts';
import type { Report } from './ports/report.ts';
import type { ReportFacts } from './services/report-facts.ts';
import { within } from './services/within.ts';

export interface LooksOptions {
  readonly config: Config;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly host: string;
  readonly clock: Clock;
  /** Undefined for a directory. */
  readonly access: S3Access | undefined;
  readonly limits?: Partial<Limits>;
}

/** Had by now or not at all. */
const askMs = 100;

export type Looked = Pick<ReportFacts, 'disks' | 'looked' | 'access'>;

/** What has to be looked at anew for each report: the disks, and whether the destination serves us. */
export class ReportLooks {
  readonly #options: LooksOptions;
  readonly #limits: Limits;
  readonly #identity: CallerIdentity | undefined;
  readonly #asking = new Set<string>();

  constructor(options: LooksOptions) {
    const { config, clock, access } = options;
    const { destination } = config;
    this.#options = options;
    this.#limits = { ...defaultLimits, ...options.limits };
    this.#identity =
      destination.kind === 's3' && access
        ? new CallerIdentity({
            region: destination.region,
            endpoint: destination.endpoint,
            access,
            timeoutMs: this.#limits.requestMs,
            nowMs: clock.monotonicMs,
          })
        : undefined;
  }

  async look(signal: AbortSignal): Promise<Looked> {
    const clock = endedBy(signal, this.#options.clock);
    const [rooms, { findings, access }] = await Promise.all([this.#rooms(clock), this.#ask(clock)]);
    const identity = access?.valid === true ? await this.#identity?.name(signal) : undefined;
    const hide = await this.#hide(clock);
    return {
      disks: rooms.flatMap(({ disk }) => (disk ? [disk] : [])),
      looked: [...rooms.flatMap((room) => room.findings), ...findings].map((one) => hidden(one, hide)),
      ...(access && { access: { ...access, ...(identity !== undefined && { identity }) } }),
    };
  }

  #ask(clock: Clock): Promise<BriefLook> {
    const { config, env, host, access } = this.#options;
    return lookBriefly({
      config,
      problems: [],
      warnings: [],
      readFrom: [],
      envFile: '',
      watchedDirectory: config.watch.directory,
      stateDirectory: config.state.directory,
      destination: config.destination,
      hung: new Set(),
      machine: { env, hostName: host, proc: '/proc', run: async () => undefined },
      clock,
      limits: this.#limits,
      access,
    });
  }

  #rooms(clock: Clock) {
    const { watch, state } = this.#options.config;
    return Promise.all([
      this.#room('folder', 'the folder', watch.directory, clock),
      this.#room('state', 'the state directory', state.directory, clock),
    ]);
  }

  async #room(of: 'folder' | 'state', named: DiskOf, path: string, clock: Clock) {
    const room = await roomAt(path, clock, this.#limits.folderMs, this.#asking);
    const findings: Finding[] = roomFindings([named], room).filter(({ level }) => level !== 'ok');
    if (typeof room === 'string') return { findings, disk: undefined };
    const { freeBytes, totalBytes, inodes } = room;
    const disk: Report['disks'][number] = {
      of,
      freeBytes,
      totalBytes,
      ...(inodes && { freeInodes: inodes.free }),
    };
    return { findings, disk };
  }

  /** Of credentials that can be had at once; of others no answer can have spoken. */
  async #hide(clock: Clock): Promise<Hide> {
    const { access, config, env } = this.#options;
    const key = config.destination.kind === 's3' ? config.destination.credentials : undefined;
    const held = await within(clock, askMs, undefined, async () => {
      return await access?.credentials.current().catch(() => undefined); // reason: told as a finding
    });
    return hider(
      env,
      [key, held].flatMap((one) => [one?.secretAccessKey, one?.sessionToken]),
    );
  }
}

function hidden({ finding, evidence, remedy, ...rest }: Finding, hide: Hide): Finding {
  return {
    ...rest,
    finding: hide(finding),
    ...(evidence !== undefined && { evidence: hide(evidence) }),
    ...(remedy !== undefined && { remedy: hide(remedy) }),
  };
}

/** No wait outlives the signal: what is looked at is given up then, and what is found is of no use. */
function endedBy(signal: AbortSignal, clock: Clock): Clock {
  const sleep: Clock['sleep'] = (ms, other) =>
    clock.sleep(ms, other === undefined ? signal : AbortSignal.any([signal, other]));
  return { ...clock, sleep };
}
