import { mkdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { CaptureLog } from '../adapters/capture-log.ts';
import { errnoOf } from '../adapters/errno.ts';
import { createProcessTable } from '../adapters/proc-table.ts';
import {
  createFile,
  moveAside,
  readDocument,
  readShortText,
  replaceFile,
  writtenAtMs,
} from '../adapters/session-files.ts';
import { systemClock } from '../adapters/system-time.ts';
import type { JsonObject } from '../domain/json.ts';
import { correctedResult, type Run, resultDocument } from '../exec/outcome.ts';

const pidFile = 'session.pid';
/** As for whoever reads it: services/session-process.ts. */
const startToleranceMs = 1500;

type Say = (text: string) => void;
export interface Logs {
  readonly stdout: CaptureLog;
  readonly stderr: CaptureLog;
}

/** Writes into a session's directory. What cannot be written is said, and never keeps the command from running. */
export class ExecSession {
  /** Its real path. */
  readonly directory: string;
  readonly #say: Say;
  /** For result.json: what a session.json that was there already does not say. */
  #facts: JsonObject | undefined;
  readonly #logs: [name: string, log: CaptureLog][] = [];

  private constructor(directory: string, say: Say) {
    this.directory = directory;
    this.#say = say;
  }

  /** Undefined when the directory cannot be made. */
  static async open(directory: string, say: Say): Promise<ExecSession | undefined> {
    try {
      await mkdir(directory, { recursive: true });
      return new ExecSession(await realpath(directory), say);
    } catch (error) {
      say(
        `making the session's directory ${JSON.stringify(directory)}: ${errnoOf(error)}; the command runs without it`,
      );
      return undefined;
    }
  }

  /**
   * Takes the directory for the command that `ownPid` is about to start. The process that has it already, if one lives:
   * two commands that each wrote of its end would end the session while the other one goes on.
   */
  async claim(ownPid: number): Promise<number | undefined> {
    let holder: number | undefined;
    await this.#try(pidFile, async () => {
      if (await createFile(this.directory, pidFile, `${ownPid}\n`)) return;
      holder = await this.#livingProcess();
      if (holder === undefined) await this.started(ownPid);
    });
    return holder;
  }

  async #livingProcess(): Promise<number | undefined> {
    const pid = Number(await readShortText(this.directory, pidFile));
    const writtenMs = await writtenAtMs(this.directory, pidFile);
    if (!Number.isSafeInteger(pid) || pid < 1 || writtenMs === undefined) return undefined;
    const identity = await createProcessTable().identify(pid);
    return identity && identity.startedAtMs <= writtenMs + startToleranceMs ? pid : undefined;
  }

  /** A session.json that is there stays; the result of an earlier run in this directory is kept under another name. */
  async begin(document: JsonObject): Promise<void> {
    await this.#try('result.json', async () => {
      const aside = await moveAside(this.directory, 'result.json');
      if (aside !== undefined)
        this.#say(`${this.directory} had a session already: its result.json is ${aside} from now on`);
    });
    await this.#try('session.json', async () => {
      if (!(await createFile(this.directory, 'session.json', textOf(document))))
        this.#facts = document['exec'] as JsonObject;
    });
  }

  /** In place of what an earlier run wrote there; anything but a number is not ours. */
  async started(pid: number): Promise<void> {
    await this.#try(pidFile, async () => {
      const found = await readShortText(this.directory, pidFile);
      if (found !== undefined && /^\s*\d*\s*$/.test(found))
        await replaceFile(this.directory, pidFile, `${pid}\n`);
    });
  }

  /** `name`: of a command beside the one that has the directory. */
  async openLogs(name = ''): Promise<Logs | undefined> {
    const [stdout, stderr] = [
      await this.#openLog(`stdout${name}.log`),
      await this.#openLog(`stderr${name}.log`),
    ];
    return stdout && stderr && { stdout, stderr };
  }

  /** Both outputs of one of several processes in one file. */
  async openRankLog(rank: number): Promise<Logs | undefined> {
    await this.#try(
      'ranks',
      async () => void (await mkdir(join(this.directory, 'ranks'), { recursive: true })),
    );
    const log = await this.#openLog(`ranks/${rank}.log`);
    return log && { stdout: log, stderr: log };
  }

  async #openLog(name: string): Promise<CaptureLog | undefined> {
    const path = join(this.directory, name);
    const onProblem = (code: string) =>
      this.#say(`writing ${JSON.stringify(path)}: ${code}; the command goes on, this log may not be whole`);
    try {
      const log = await CaptureLog.open({ path, clock: systemClock, onProblem });
      this.#logs.push([name, log]);
      return log;
    } catch (error) {
      this.#say(`opening ${JSON.stringify(path)}: ${errnoOf(error)}; output is passed on and not kept`);
      return undefined;
    }
  }

  async closeLogs(): Promise<Record<string, number>> {
    await Promise.all(this.#logs.map(([, log]) => log.close()));
    return Object.fromEntries(this.#logs.map(([name, { lostBytes }]) => [name, lostBytes]));
  }

  /** A result that the command wrote itself stays, unless how it ended says otherwise. */
  async finish(run: Run): Promise<void> {
    const ours = { ...resultDocument(run), ...(this.#facts && { exec: this.#facts }) };
    await this.#try('result.json', async () => {
      if (await createUnlessThere(this.directory, ours)) return;
      const found = await readDocument(this.directory, 'result.json');
      const corrected = correctedResult(found === 'absent' ? undefined : found, ours);
      if (corrected === undefined) return;
      const aside = await moveAside(this.directory, 'result.json');
      await createUnlessThere(this.directory, corrected);
      if (aside !== undefined)
        this.#say(`the command's own result.json does not say how it ended: it is kept as ${aside}`);
    });
  }

  async #try(name: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#say(`writing ${JSON.stringify(join(this.directory, name))}: ${errnoOf(error)}`);
    }
  }
}

function createUnlessThere(directory: string, document: JsonObject): Promise<boolean> {
  return createFile(directory, 'result.json', textOf(document));
}

function textOf(document: JsonObject): string {
  return `${JSON.stringify(document, null, 2)}\n`;
}
