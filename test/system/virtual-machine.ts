import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../support/eventually.ts';
import type { TestBucket } from '../support/s3-bucket.ts';
import { codename, sections } from './booted-host.ts';
import { dropUnflushed, type WritesLeft } from './unflushed-writes.ts';

/** What the machine has beyond a bare Debian: a kernel with all controllers, and what the package depends on. */
const packages =
  'systemd,systemd-sysv,dbus,udev,procps,passwd,libatomic1,libstdc++6,e2fsprogs,linux-image-cloud-amd64';
const diskBytes = 8 * 1024 ** 3;
const scriptBytesMax = 65_536;
const lifeMsMax = 1_500_000;

/** The loopback interface of this machine has an address there. */
export function endpointFromMachine({ endpoint }: TestBucket): string {
  return endpoint.replace(/127\.0\.0\.1|localhost/, '10.0.2.2');
}

const units: Readonly<Record<string, string>> = {
  'system/scenario.service': `[Unit]
After=multi-user.target dbus.service
[Service]
Type=oneshot
Environment=HOME=/root
ExecStart=/bin/bash -c 'tr -d "\\\\0" < /dev/vdb > /run/scenario.sh; exec bash /run/scenario.sh'
`,
  'network/wired.network': '[Match]\nName=e*\n[Network]\nAddress=10.0.2.15/24\nGateway=10.0.2.2\n',
};
const enabled = ['/etc/systemd/system/scenario.service', '/lib/systemd/system/systemd-networkd.service'];

/** Made once a run: root file system and kernel in one directory, the caller's to delete. */
export function makeMachineSystem(): string {
  const system = mkdtempSync(join(tmpdir(), 'trainlogd-machine-system-'));
  const options = ['--quiet', '--variant=minbase', '--format=directory', `--include=${packages}`];
  execFileSync('mmdebstrap', [...options, codename(), join(system, 'root')], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const etc = join(system, 'root/etc');
  writeFileSync(join(etc, 'fstab'), '/dev/vda / ext4 defaults 0 1\n');
  for (const [name, text] of Object.entries(units)) writeFileSync(join(etc, 'systemd', name), text);
  const wants = join(etc, 'systemd/system/multi-user.target.wants');
  mkdirSync(wants, { recursive: true });
  for (const unit of enabled) symlinkSync(unit, join(wants, unit.slice(unit.lastIndexOf('/') + 1)));
  const boot = join(system, 'root/boot');
  for (const name of ['vmlinuz', 'initrd.img']) {
    const found = readdirSync(boot).find((file) => file.startsWith(`${name}-`));
    if (found === undefined) throw new Error(`the system in "${boot}" has no ${name}`);
    copyFileSync(join(boot, found), join(system, name));
  }
  return system;
}

/** One time from power on to power off; what the script says is heard while it runs. */
export interface MachineLife {
  /** What was printed by section, so far; a line `### name` begins one. */
  said(): ReadonlyMap<string, string>;
  /** Resolves once the script has begun the section. */
  reached(section: string, timeoutMs?: number): Promise<void>;
  /** Resolves when the machine has gone off or would reset. */
  readonly ended: Promise<void>;
  /** Nothing is told to the machine. Of its disk only what it had flushed is left. */
  cutPower(): Promise<WritesLeft>;
}

/**
 * A machine of its own with its own kernel: emulated, since a machine that runs tests is often virtual itself. A Debian on
 * ext4, started by systemd with all controllers. Lives as often as it is started, on one disk.
 */
export class VirtualMachine {
  readonly #directory = mkdtempSync(join(tmpdir(), 'trainlogd-machine-'));
  readonly #system: string;
  #process: ChildProcess | undefined;

  /** `lay` puts into a directory what the machine finds in `/brought`. */
  constructor(system: string, lay: (directory: string) => void) {
    this.#system = system;
    const root = join(system, 'root');
    const brought = join(root, 'brought');
    mkdirSync(brought);
    try {
      lay(brought);
      const disk = this.#file('disk');
      writeFileSync(disk, '');
      truncateSync(disk, diskBytes);
      execFileSync('mke2fs', ['-q', '-t', 'ext4', '-d', root, disk], { stdio: 'pipe' });
    } finally {
      rmSync(brought, { recursive: true, force: true });
    }
  }

  /** `canLosePower`: the disk has a volatile cache, of which `cutPower` leaves nothing. */
  start(script: string, { canLosePower = false } = {}): MachineLife {
    if (this.#process !== undefined) throw new Error('the machine is running already');
    const guest = readFileSync(join(import.meta.dirname, 'guest.sh'), 'utf8');
    const text = Buffer.from(`results=/dev/ttyS1\n${guest}\n${script}\n`);
    if (text.length > scriptBytesMax) throw new Error(`the script has ${text.length} bytes`);
    writeFileSync(this.#file('script'), Buffer.concat([text, Buffer.alloc(scriptBytesMax - text.length)]));
    if (canLosePower) {
      writeFileSync(this.#file('writes'), '');
      execFileSync('cp', ['--sparse=always', this.#file('disk'), this.#file('disk-before')]);
    }
    // Whatever ends this process ends the machine.
    const args = ['--pdeathsig', 'KILL', 'qemu-system-x86_64', ...this.#hardware(canLosePower)];
    const machine = spawn('setpriv', args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: lifeMsMax,
      killSignal: 'SIGKILL',
    });
    this.#process = machine;
    return this.#lifeOf(machine, canLosePower);
  }

  #lifeOf(machine: ChildProcess, canLosePower: boolean): MachineLife {
    let text = '';
    for (const stream of [machine.stdout, machine.stderr])
      stream?.setEncoding('utf8').on('data', (more: string) => {
        text += more.replaceAll('\r', '');
      });
    let isOver = false;
    const ended = new Promise<void>((resolve, reject) => {
      machine.once('error', reject);
      machine.once('close', () => {
        isOver = true;
        this.#process = undefined;
        resolve();
      });
    });
    const said = () => sections(text);
    return {
      said,
      ended,
      reached: async (section, timeoutMs = 600_000) => {
        const look = () => isOver || said().has(section);
        // What the machine said says more than that time was up.
        await eventually(look, { timeoutMs, everyMs: 200 }).catch(() => undefined);
        if (!said().has(section))
          throw new Error(`the machine never said "${section}": ${text.slice(-4_000)}\n${this.#console()}`);
      },
      cutPower: async () => {
        machine.kill('SIGKILL');
        await ended;
        if (!canLosePower) throw new Error('the disk of this life keeps what was not flushed');
        const left = dropUnflushed(this.#file('disk-before'), this.#file('writes'));
        renameSync(this.#file('disk-before'), this.#file('disk'));
        return left;
      },
    };
  }

  async remove(): Promise<void> {
    const machine = this.#process;
    if (machine !== undefined) {
      const closed = new Promise((resolve) => machine.once('close', resolve));
      machine.kill('SIGKILL');
      await closed;
    }
    rmSync(this.#directory, { recursive: true, force: true });
  }

  #hardware(canLosePower: boolean): string[] {
    // That this machine keeps its power is believed: it need not flush its own disk for that.
    const file = (name: string, more = '') =>
      [
        '-blockdev',
        `driver=file,filename=${this.#file(name)},node-name=${name},cache.no-flush=on${more}`,
      ] as const;
    const logged = ['-blockdev', 'driver=blklogwrites,file=disk,log=writes,node-name=logged'];
    return [
      ...['-accel', 'tcg', '-cpu', 'max', '-m', '2048'],
      ...['-nodefaults', '-display', 'none', '-no-reboot', '-nic', 'user,model=virtio-net-pci'],
      ...['-kernel', join(this.#system, 'vmlinuz'), '-initrd', join(this.#system, 'initrd.img')],
      ...['-append', 'root=/dev/vda rw console=ttyS0 panic=-1 mitigations=off'],
      ...['-serial', `file:${this.#file('console')}`, '-serial', 'stdio'],
      ...file('disk'),
      ...(canLosePower ? [...file('writes'), ...logged] : []),
      ...['-device', `virtio-blk-pci,drive=${canLosePower ? 'logged' : 'disk'}`],
      ...file('script', ',read-only=on'),
      ...['-device', 'virtio-blk-pci,drive=script'],
    ];
  }

  #console(): string {
    return readFileSync(this.#file('console'), 'utf8').slice(-4_000);
  }

  #file(name: string): string {
    return join(this.#directory, name);
  }
}
