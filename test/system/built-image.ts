import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { codename } from './booted-host.ts';

const project = join(import.meta.dirname, '..', '..');
/** What the libraries come from, and what a builder has beside npm. */
const packages = 'libatomic1,libstdc++6,ca-certificates,binutils';

const inspected = z.looseObject({
  Docker: z.looseObject({
    config: z.looseObject({
      User: z.string(),
      Env: z.array(z.string()),
      Cmd: z.array(z.string()),
      Entrypoint: z.array(z.string()),
      Labels: z.record(z.string(), z.string()),
      Healthcheck: z.looseObject({ Test: z.array(z.string()) }),
      Volumes: z.record(z.string(), z.unknown()),
      StopSignal: z.string(),
    }),
  }),
});

/**
 * The Dockerfile, built by buildah where no Docker is. Its two bases are made here of the packages of this machine's
 * Debian: no registry of images is asked.
 */
export class BuiltImage {
  readonly #work = mkdtempSync(join(tmpdir(), 'trainlogd-image-'));
  /** A Debian without Node, npm, python and curl. */
  readonly system = join(this.#work, 'system.tar');
  /** The image's file system as a container has it. */
  readonly root: string;
  readonly config: z.infer<typeof inspected>['Docker']['config'];

  constructor() {
    const options = ['--quiet', '--variant=minbase', `--include=${packages}`];
    execFileSync('mmdebstrap', [...options, codename(), this.system], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    this.#bases();
    this.#buildah([
      ...['bud', '--format', 'docker', '--isolation', 'chroot', ...this.#mountsOfNpm()],
      ...['--build-arg', 'BASE=localhost/base', '--build-arg', 'BUILDER=localhost/builder'],
      ...['-t', 'localhost/trainlogd', project],
    ]);
    this.config = inspected.parse(
      JSON.parse(this.#buildah(['inspect', '--type', 'image', 'localhost/trainlogd'])),
    ).Docker.config;
    const container = this.#buildah(['from', '--pull-never', 'localhost/trainlogd']).trim();
    this.root = this.#buildah(['mount', container]).trim();
    // What a runtime mounts and makes, so that the root file system can then be read-only.
    for (const directory of ['proc', 'dev', 'etc'])
      mkdirSync(join(this.root, directory), { recursive: true });
  }

  remove(): void {
    this.#buildah(['umount', '--all']);
    rmSync(this.#work, { recursive: true, force: true });
  }

  #bases(): void {
    const context = join(this.#work, 'bases');
    mkdirSync(context);
    copyFileSync(process.execPath, join(context, 'node'));
    const npm = dirname(dirname(execFileSync('readlink', ['-f', which('npm')], { encoding: 'utf8' }).trim()));
    execFileSync('tar', ['-C', dirname(npm), '-cf', join(context, 'npm.tar'), 'npm']);
    const base = 'FROM scratch\nADD system.tar /\n';
    const builder =
      'FROM localhost/base\nCOPY node /usr/local/bin/node\nADD npm.tar /usr/local/lib/node_modules/\n' +
      'RUN ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm\n';
    execFileSync('ln', [this.system, join(context, 'system.tar')]);
    for (const [name, text] of Object.entries({ base, builder })) {
      const file = join(this.#work, name);
      writeFileSync(file, text);
      this.#buildah(['bud', '-q', '--isolation', 'chroot', '-f', file, '-t', `localhost/${name}`, context]);
    }
  }

  /** Where packages come from, and whom it trusts there, is this machine's affair. */
  #mountsOfNpm(): string[] {
    const ask = (name: string) => execFileSync('npm', ['config', 'get', name], { encoding: 'utf8' }).trim();
    const mounts = {
      [ask('userconfig')]: '/root/.npmrc',
      [ask('globalconfig')]: '/usr/local/etc/npmrc',
      '/etc/npmrc': '/etc/npmrc',
      '/etc/ssl/certs': '/etc/ssl/certs',
      '/usr/local/share/ca-certificates': '/usr/local/share/ca-certificates',
    };
    return Object.entries(mounts).flatMap(([from, to]) =>
      existsSync(from) ? ['-v', `${from}:${to}:ro`] : [],
    );
  }

  #buildah(args: readonly string[]): string {
    const store = ['--storage-driver', 'vfs', '--root', join(this.#work, 'store')];
    const all = [...store, '--runroot', join(this.#work, 'run'), ...args];
    const { status, stdout, stderr } = spawnSync('buildah', all, {
      encoding: 'utf8',
      maxBuffer: 64 * 1024 * 1024,
    });
    if (status !== 0) throw new Error(`buildah ${args[0]}: ${stderr.slice(-3000)}`);
    return stdout;
  }
}

function which(program: string): string {
  return execFileSync('sh', ['-c', `command -v ${program}`], { encoding: 'utf8' }).trim();
}
