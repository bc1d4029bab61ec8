import { execFileSync, spawn } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What the machine has beyond a bare Debian: what the package depends on, and what the test looks with. */
const packages = 'systemd,systemd-sysv,dbus,procps,passwd,libatomic1,libstdc++6';

/** How the container is started. */
export interface Launch {
  /** What the command is given to. */
  readonly enter: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** A script that becomes systemd, instead of systemd itself. */
  readonly init?: string;
  readonly lifeMsMax: number;
}

/** systemd 256 and later boots with this hierarchy alone. */
const asItIs: Launch = { enter: [], env: { SYSTEMD_NSPAWN_UNIFIED_HIERARCHY: '1' }, lifeMsMax: 240_000 };

/**
 * A Debian of its own, booted with systemd in a container that shares the network of this machine, so that the S3 server
 * on its loopback is reached. Boots as often as it is asked to, on one disk.
 */
export class BootedHost {
  readonly #root: string;

  private constructor(root: string) {
    this.#root = root;
  }

  /** `system`: the archive of `makeSystem`. */
  static from(system: string): BootedHost {
    const root = mkdtempSync(join(tmpdir(), 'trainlogd-host-'));
    execFileSync('tar', ['-C', root, '-xf', system]);
    const unit =
      '[Unit]\nAfter=multi-user.target dbus.service\n[Service]\nType=oneshot\nEnvironment=HOME=/root\n';
    const units = join(root, 'etc/systemd/system');
    mkdirSync(join(units, 'multi-user.target.wants'), { recursive: true });
    const run = 'ExecStart=/scenario.sh\nExecStopPost=/bin/systemctl --no-block poweroff\n';
    writeFileSync(join(units, 'scenario.service'), `${unit}${run}[Install]\nWantedBy=multi-user.target\n`);
    symlinkSync('../scenario.service', join(units, 'multi-user.target.wants/scenario.service'));
    return new BootedHost(root);
  }

  put(file: string, at: string): void {
    copyFileSync(file, join(this.#root, at));
  }

  /** `work` puts into a directory what the machine finds in `/brought`. */
  bring(work: (directory: string) => void): void {
    const directory = join(this.#root, 'brought');
    mkdirSync(directory);
    work(directory);
  }

  /**
   * Boots, runs the script, powers off. What it printed comes back by section: a line `### name` begins one. Commands
   * that fail do not end the script; their section says so.
   */
  async boot(script: string, launch: Launch = asItIs): Promise<ReadonlyMap<string, string>> {
    const results = join(this.#root, 'results.txt');
    rmSync(results, { force: true });
    const guest = readFileSync(join(import.meta.dirname, 'guest.sh'), 'utf8');
    writeFileSync(join(this.#root, 'scenario.sh'), `${guest}\n${script}\n`, { mode: 0o755 });
    const options = ['-q', '-D', this.#root, '--register=no', '--keep-unit', '--console=pipe'];
    if (launch.init !== undefined) writeFileSync(join(this.#root, 'init.sh'), launch.init, { mode: 0o755 });
    const boot = launch.init === undefined ? '--boot' : '/init.sh';
    const [program, ...args] = [...launch.enter, 'systemd-nspawn', ...options, boot];
    const machine = spawn(program ?? '', args, {
      env: { ...process.env, ...launch.env },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: launch.lifeMsMax,
    });
    let console = '';
    for (const stream of [machine.stdout, machine.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        console = (console + text).slice(-10_000);
      });
    }
    await new Promise((resolve, reject) => machine.once('close', resolve).once('error', reject));
    if (!existsSync(results)) throw new Error(`the machine did not run its script: ${console}`);
    return sections(readFileSync(results, 'utf8'));
  }

  remove(): void {
    rmSync(this.#root, { recursive: true, force: true });
  }
}

/** Made once a run; the archive is the caller's to delete. */
export function makeSystem(): string {
  const file = join(mkdtempSync(join(tmpdir(), 'trainlogd-system-')), 'system.tar');
  const options = ['--quiet', '--variant=minbase', `--include=${packages}`];
  execFileSync('mmdebstrap', [...options, codename(), file], { stdio: ['ignore', 'ignore', 'inherit'] });
  return file;
}

/**
 * The same release as this machine's: its package sources are the ones that are known to be reached. Another one by
 * `TRAINLOGD_TEST_RELEASE`, such as `trixie`.
 */
export function codename(): string {
  const asked = process.env['TRAINLOGD_TEST_RELEASE'];
  if (asked) return asked;
  return /^VERSION_CODENAME=(\w+)$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? 'stable';
}

/** What a script printed, by the names of its sections. */
export function sections(text: string): ReadonlyMap<string, string> {
  const parts = text.split(/^### (.*)$/m);
  const found = new Map<string, string>();
  for (let at = 1; at < parts.length; at += 2) found.set(parts[at] ?? '', (parts[at + 1] ?? '').trim());
  return found;
}
