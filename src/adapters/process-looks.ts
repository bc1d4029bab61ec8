import { connect, type Socket } from 'node:net';

/** What /proc tells of a process: its `stat` and its `NSpid` line, as proc(5) has them; empty when there is none. */
export interface ProcessLook {
  readonly stat: string;
  readonly nsPid: string;
}

/** Where systemd/trainlogd-processes.socket listens. */
const socketPath = '/run/trainlogd-processes.socket';
const answerTimeoutMs = 2000;
const answerBytesMax = 16_384;
/** After none came, so that a hundred sessions do not each wait for theirs. */
const pauseMs = 60_000;

export interface ProcessLooksOptions {
  readonly monotonicMs: () => number;
  /** Tests have their own. */
  readonly path?: string;
  /** Told the first time that nobody answers. */
  readonly onSilence?: (problem: string) => void;
}

/**
 * Looks at processes that are hidden from us (`ProtectProc=invisible`) through somebody who sees them and nothing else:
 * systemd/processes, one line with a number for a question, two for an answer. Undefined where nobody answers: it is
 * not known then whether the process lives.
 */
export function createProcessLooks({
  monotonicMs,
  path = socketPath,
  onSilence,
}: ProcessLooksOptions): (pid: number) => Promise<ProcessLook | undefined> {
  let isTold = false;
  let connection: Socket | undefined;
  let silentUntilMs = 0;
  let last: Promise<unknown> = Promise.resolve();

  async function ask(pid: number): Promise<ProcessLook | undefined> {
    if (monotonicMs() < silentUntilMs) return undefined;
    // Closed since the last question: whoever answered was started anew.
    if (!connection || connection.destroyed) connection = opened(path);
    const look = await exchange(connection, pid);
    if (look !== undefined) return look;
    connection.destroy();
    silentUntilMs = monotonicMs() + pauseMs;
    if (!isTold) onSilence?.(silence(path));
    isTold = true;
    return undefined;
  }

  // One after the other: answers have no names, and the connection is one.
  return (pid) => {
    const look = last.then(() => ask(pid));
    last = look;
    return look;
  };
}

function silence(path: string): string {
  return `asking at ${JSON.stringify(path)} whether a process of another user lives got no answer: a session whose session.pid names one ends by its other evidence, or by silence; let trainlogd-processes.socket be active, with the user of this service as SocketUser=`;
}

function opened(path: string): Socket {
  const connection = connect(path);
  connection.on('error', () => undefined); // reason: its close, which comes next, is the answer
  return connection;
}

/** The connection keeps nobody running but while an answer is waited for. */
function exchange(connection: Socket, pid: number): Promise<ProcessLook | undefined> {
  return new Promise((resolve) => {
    let text = '';
    const give = (look?: ProcessLook) => {
      connection.off('data', read).off('close', fail).off('timeout', fail).setTimeout(0).unref();
      resolve(look);
    };
    const fail = () => give();
    const read = (bytes: Buffer) => {
      text += bytes.toString('latin1');
      const [nsPid, stat, ...rest] = text.split('\n');
      if (nsPid !== undefined && stat !== undefined && rest.length > 0) give({ nsPid, stat });
      else if (text.length > answerBytesMax) give();
    };
    connection.on('data', read).on('close', fail).on('timeout', fail).setTimeout(answerTimeoutMs).ref();
    connection.write(`${pid}\n`);
  });
}
