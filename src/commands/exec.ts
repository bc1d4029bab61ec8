import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { checkMount } from '../adapters/check-mount.ts';
import { gitState } from '../adapters/git-state.ts';
import { GroupWitness } from '../adapters/group-witness.ts';
import { isUnderNohup } from '../adapters/hangup.ts';
import { LineWriter } from '../adapters/line-writer.ts';
import { realFolder } from '../adapters/real-folder.ts';
import { systemClock } from '../adapters/system-time.ts';
import { userName } from '../adapters/user-name.ts';
import { isWithin } from '../config/paths.ts';
import { commandEnvironment } from '../exec/command-environment.ts';
import { type CommandEnd, describeEnd, type Run } from '../exec/outcome.ts';
import { sessionDocument } from '../exec/session-document.ts';
import { placeOf, type SessionPlace, sessionDirectoryVariable } from '../exec/session-place.ts';
import type { Edge, OwnProcess } from './edge.ts';
import { type ExecConfig, execConfig } from './exec-config.ts';
import { exitByEnd } from './exec-exit.ts';
import { type RunCommandOptions, runCommand } from './exec-run.ts';
import { ExecSession } from './exec-session.ts';
import { Shipping } from './exec-shipping.ts';
import { SignalRelay } from './exec-signals.ts';
import { hungAmong } from './hung-among.ts';
import type { GlobalFlags } from './inputs.ts';
import { saidOf } from './no-answer.ts';
import { oneLine } from './one-line.ts';
import { programVersion } from './version.ts';

export interface ExecFlags extends GlobalFlags {
  readonly dir?: string;
  readonly id?: string;
  readonly user?: string;
  /** False with `--no-ship`, `--no-capture`. */
  readonly ship: boolean;
  readonly capture: boolean;
}

/**
 * `trainlogd exec`: runs a command as a session. The command comes first: whatever is wrong with the configuration, the
 * disk or the bucket is said, and the command runs all the same. Gives the command's own exit code, or ends by the
 * signal that ended it.
 */
export async function exec(edge: Edge, flags: ExecFlags, command: readonly string[]): Promise<number> {
  const { own } = edge;
  if (!own) throw new Error('exec needs a process of its own');
  const witness = new GroupWitness(systemClock);
  const ignoresHangup = isUnderNohup(edge.env);
  const relay = new SignalRelay({ own, witness, ignoresHangup });
  const lines = new LineWriter(2, systemClock);
  const say = (text: string) => lines.write(`trainlogd: ${oneLine(text)}\n`);
  const ours: Edge = { ...edge, stderr: (text) => lines.write(text) };
  try {
    const end = await new Exec({ edge: ours, own, flags, command, relay, ignoresHangup, say }).run();
    if ('cause' in end) say(describeEnd(end));
    await lines.said;
    return await exitByEnd(end, own, relay);
  } finally {
    witness.end();
    relay.stop();
  }
}

interface ExecOptions {
  readonly edge: Edge;
  readonly own: OwnProcess;
  readonly flags: ExecFlags;
  readonly command: readonly string[];
  readonly relay: SignalRelay;
  readonly ignoresHangup: boolean;
  readonly say: (text: string) => void;
}

class Exec {
  readonly #options: ExecOptions;
  readonly #place: SessionPlace;
  readonly #startedAtMs = systemClock.nowMs();

  constructor(options: ExecOptions) {
    const { edge, flags, command } = options;
    this.#options = options;
    const chance = randomBytes(3).toString('hex');
    const named = { directory: flags.dir, id: flags.id, chance, startedAtMs: this.#startedAtMs };
    this.#place = placeOf({ env: edge.env, command, ...named });
  }

  run(): Promise<CommandEnd> {
    return this.#place.kind === 'session' ? this.#runSession(this.#place) : this.#runPart(this.#place);
  }

  async #runSession(place: SessionPlace & { kind: 'session' }): Promise<CommandEnd> {
    const { edge, flags, own, say } = this.#options;
    const named = place.directory === undefined ? undefined : resolve(edge.cwd, place.directory);
    // At once with the configuration's own places: the command waits for it.
    const asked = named === undefined ? undefined : hungAmong(edge, [named]);
    const config = await execConfig(edge, flags, flags.ship);
    const isSilent = asked === undefined ? isFolderSilent(config) : (await asked).size > 0;
    const wanted = named ?? join(config.watched, place.id);
    const session = isSilent ? this.#without(wanted) : await ExecSession.open(wanted, say);
    if (config.problem !== undefined && flags.ship) {
      say('nothing is shipped, the configuration cannot be used; the command runs all the same:');
      edge.stderr(`${config.problem}\n`);
    }
    if (!session) return (await this.#runCommand(undefined, undefined)).end;
    const holder = await session.claim(own.pid);
    if (holder !== undefined) return this.#runBeside(session, holder);
    await session.begin(await this.#document(place.id));
    const logs = flags.capture ? await session.openLogs() : undefined;
    let shipping: Shipping | undefined;
    const run = await this.#runCommand(session, logs, async (pid) => {
      await session.started(pid);
      shipping = this.#ship(config, session.directory);
    });
    await session.finish({ ...run, lostBytes: await session.closeLogs() });
    shipping ??= this.#ship(config, session.directory);
    await this.#finishShipping(shipping, run, session.directory);
    return run.end;
  }

  /** In a directory that another command has: its output is all that it adds, and its end ends nothing. */
  async #runBeside(session: ExecSession, holder: number): Promise<CommandEnd> {
    const { flags, own, say } = this.#options;
    const kept = flags.capture ? `its output goes to stdout.${own.pid}.log and stderr.${own.pid}.log` : '';
    say(
      `process ${holder} has a session in ${session.directory}: this command is a part of it${kept && `, ${kept}`}`,
    );
    const logs = flags.capture ? await session.openLogs(`.${own.pid}`) : undefined;
    const { end } = await this.#runCommand(session, logs);
    await session.closeLogs();
    return end;
  }

  /** One of several processes of a session: its output is all that it adds. */
  async #runPart(place: Exclude<SessionPlace, { kind: 'session' }>): Promise<CommandEnd> {
    const { edge, flags, say } = this.#options;
    if (place.kind === 'nowhere') {
      if (flags.capture)
        say(
          `process ${place.rank} of a training is not told where its session is: its output is not kept, name --dir or --id`,
        );
      return (await this.#runCommand(undefined, undefined)).end;
    }
    const watched = place.directory === undefined ? (await execConfig(edge, flags, false)).watched : '';
    const directory = place.directory ?? join(watched, place.id ?? '');
    const session = flags.capture ? await this.#openPart(resolve(edge.cwd, directory)) : undefined;
    const logs = await session?.openRankLog(place.rank);
    const { end } = await this.#runCommand(session, logs);
    await session?.closeLogs();
    return end;
  }

  async #openPart(directory: string): Promise<ExecSession | undefined> {
    const { edge, say } = this.#options;
    const isSilent = (await hungAmong(edge, [directory])).size > 0;
    return isSilent ? this.#without(directory) : await ExecSession.open(directory, say);
  }

  /** A call to a directory that does not answer would keep the command from ever beginning. */
  #without(directory: string): undefined {
    const { say } = this.#options;
    say(
      `the session's directory ${JSON.stringify(directory)} does not answer: ${checkMount}; the command runs without it`,
    );
  }

  #runCommand(
    session: ExecSession | undefined,
    logs: RunCommandOptions['logs'],
    onStarted: RunCommandOptions['onStarted'] = () => Promise.resolve(),
  ): Promise<Omit<Run, 'lostBytes'>> {
    const { edge, own, command, relay, ignoresHangup, say } = this.#options;
    const { HOME, ...env } = commandEnvironment(edge.env, own.pid);
    return runCommand({
      command,
      cwd: edge.cwd,
      env: {
        PYTHONUNBUFFERED: '1',
        ...env,
        // Where there is none, ours was made up.
        ...(edge.homeDirectory !== undefined && { HOME }),
        ...(session && { [sessionDirectoryVariable]: session.directory }),
      },
      ignoresHangup,
      logs,
      relay,
      onStarted,
      say,
    });
  }

  async #document(id: string) {
    const { edge, flags, command } = this.#options;
    const { cwd, env } = edge;
    const git = await gitState(cwd, env);
    const facts = { command, cwd, host: hostname(), env, git, version: programVersion() };
    return sessionDocument(id, new Date(this.#startedAtMs).toISOString(), flags.user ?? userName(env), facts);
  }

  #ship({ watched, problem, silent, loadFor }: ExecConfig, directory: string): Shipping | undefined {
    const { edge, own, flags, say } = this.#options;
    if (!flags.ship || problem !== undefined) return undefined;
    const state = silent.find(([place]) => place === 'state');
    if (state) {
      say(`${directory} is not shipped: ${saidOf(state)}: ${checkMount}`);
      return undefined;
    }
    const real = isFolderSilent({ silent }) ? watched : realFolder(watched);
    const folder = isWithin(real, directory) ? real : directory;
    const loaded = loadFor(folder === real ? watched : folder);
    if (typeof loaded === 'string') {
      say(`${directory} is not shipped:`);
      edge.stderr(`${loaded}\n`);
      return undefined;
    }
    const { config, sources } = loaded;
    return new Shipping({
      edge,
      own,
      flags,
      folder,
      root: relative(folder, directory),
      stateDirectory: config.state.directory,
      isQuiet: sources['log.level'].layer === 'default',
      hurriedMs: config.drain.timeoutMs,
      say,
    });
  }

  async #finishShipping(
    shipping: Shipping | undefined,
    { wasAsked }: Pick<Run, 'wasAsked'>,
    directory: string,
  ): Promise<void> {
    const { edge, relay, say } = this.#options;
    if (!shipping) return;
    if (edge.stderrIsTerminal) say(`shipping ${directory}; Ctrl-C leaves the rest to the next start`);
    relay.onLate(() => shipping.interrupt());
    await shipping.finish(wasAsked);
  }
}

function isFolderSilent({ silent }: Pick<ExecConfig, 'silent'>): boolean {
  return silent.some(([place]) => place === 'folder');
}
