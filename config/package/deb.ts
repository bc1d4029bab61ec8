/**
 * `npm run build:deb`: makes dist/trainlogd_VERSION_ARCH.deb of the single file, which is built first. Needs dpkg-deb. `-- --arch arm64` for the other machine.
 */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { gzipSync } from 'node:zlib';
import description from '../../package.json' with { type: 'json' };
import { bashCompletion } from './completion.ts';
import { describeAll } from './described.ts';
import { manualPage } from './manual.ts';
import { materials } from './materials.ts';
import { releasedAtSeconds } from './released-at.ts';

const project = join(import.meta.dirname, '..', '..');
const debian = join(import.meta.dirname, 'debian');
const debianArch: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };

const { values } = parseArgs({
  options: {
    arch: { type: 'string', default: process.arch },
    out: { type: 'string', default: 'dist' },
    /** Tests of upgrades make a second package of the same program. */
    version: { type: 'string', default: description.version },
    compression: { type: 'string', default: 'xz' },
  },
});
main(values);

function main({ arch, out, version, compression }: Record<keyof typeof values, string>): void {
  const binary = resolve(project, out, `trainlogd-linux-${arch}`);
  const build = join(import.meta.dirname, 'binary.ts');
  execFileSync(process.execPath, [build, '--arch', arch, '--out', out], { stdio: 'inherit' });
  const name = debianArch[arch];
  if (name === undefined) throw new Error(`there is no package for "${arch}", only for x64 and arm64`);
  const tree = mkdtempSync(join(tmpdir(), 'trainlogd-deb-'));
  try {
    chmodSync(tree, 0o755);
    lay(tree, binary, version);
    control(tree, name, version);
    const file = resolve(project, out, `trainlogd_${version}_${name}.deb`);
    const env = { ...process.env, SOURCE_DATE_EPOCH: String(releasedAtSeconds()) };
    execFileSync('dpkg-deb', ['--root-owner-group', `-Z${compression}`, '--build', tree, file], {
      stdio: 'pipe',
      env,
    });
    process.stdout.write(`${file} ${(statSync(file).size / 1e6).toFixed(0)} MB\n`);
  } finally {
    rmSync(tree, { recursive: true });
  }
}

function lay(tree: string, binary: string, version: string): void {
  const put = (path: string, content: string | Buffer, mode = 0o644): void => {
    const at = join(tree, path);
    mkdirSync(dirname(at), { recursive: true });
    writeFileSync(at, content);
    chmodSync(at, mode);
  };
  const copy = (from: string, to: string, mode?: number): void =>
    put(to, readFileSync(join(project, from)), mode);
  mkdirSync(join(tree, 'usr/bin'), { recursive: true });
  copyFileSync(binary, join(tree, 'usr/bin/trainlogd'));
  chmodSync(join(tree, 'usr/bin/trainlogd'), 0o755);
  for (const unit of readdirSync(join(project, 'systemd')).filter((name) => /\.(service|socket)$/.test(name)))
    copy(`systemd/${unit}`, `usr/lib/systemd/system/${unit}`);
  copy('systemd/processes', 'usr/lib/trainlogd/processes', 0o755);
  copy('config/trainlogd.yaml', 'etc/trainlogd/config.yaml');
  put('usr/share/trainlogd/trainlogd.env', readFileSync(join(debian, 'trainlogd.env')), 0o600);
  const described = describeAll();
  const date = new Date(releasedAtSeconds() * 1000).toISOString().slice(0, 10);
  put('usr/share/man/man1/trainlogd.1.gz', pack(manualPage(described, version, date)));
  put('usr/share/bash-completion/completions/trainlogd', bashCompletion(described));
  const doc = 'usr/share/doc/trainlogd';
  put(`${doc}/copyright`, readFileSync(join(debian, 'copyright')));
  put(`${doc}/changelog.gz`, pack(readFileSync(join(project, 'CHANGELOG.md'))));
  put(`${doc}/trainlogd.cdx.json`, materials());
  copy('docs/reference.md', `${doc}/reference.md`);
  cpSync(join(project, 'systemd/examples'), join(tree, doc, 'examples/systemd'), { recursive: true });
}

function control(tree: string, arch: string, version: string): void {
  const at = join(tree, 'DEBIAN');
  mkdirSync(at);
  const installedKiB = execFileSync('du', ['-sk', '--apparent-size', tree], { encoding: 'utf8' }).split(
    '\t',
  )[0];
  const fields = [
    'Package: trainlogd',
    `Version: ${version}`,
    `Architecture: ${arch}`,
    'Maintainer: trainlogd <trainlogd@localhost>',
    `Installed-Size: ${installedKiB}`,
    'Depends: libc6 (>= 2.28), libstdc++6, libatomic1, passwd',
    'Recommends: systemd',
    'Section: admin',
    'Priority: optional',
    'Description: ships the log and files of every training session to S3',
    ` ${description.description}.`,
    ' .',
    ' It watches the directory that training frameworks write to, assembles one JSON log per session, and uploads',
    ' it with its files, resumably and verified. It needs no Node.js on the host.',
    '',
  ];
  writeFileSync(join(at, 'control'), fields.join('\n'));
  writeFileSync(join(at, 'conffiles'), '/etc/trainlogd/config.yaml\n');
  for (const script of ['postinst', 'prerm', 'postrm']) {
    copyFileSync(join(debian, script), join(at, script));
    chmodSync(join(at, script), 0o755);
  }
}

/** No name and no time of this machine, so that two builds are alike. */
function pack(content: string | Buffer): Buffer {
  return gzipSync(content, { level: 9 });
}
