import { connect } from 'node:net';
import type { AgentAnswers, AgentRequest } from '../ports/agent-requests.ts';
import type { Status } from '../ports/status.ts';
import { type SocketPath, socketPath } from './socket-path.ts';
import { socketName } from './status-socket.ts';

const answerBytesMax = 16 * 1024 * 1024;
const answerTimeoutMs = 5000;

/** The agent is there and does not do what it was asked for. */
export class AgentRefusal extends Error {}

/** Undefined when no agent answers there in time. Throws AgentRefusal. */
export async function askAgent<Ask extends AgentRequest['ask']>(
  stateDirectory: string,
  request: Extract<AgentRequest, { ask: Ask }>,
  timeoutMs = answerTimeoutMs,
): Promise<AgentAnswers[Ask] | undefined> {
  const answer = parse(await exchange(stateDirectory, `${JSON.stringify(request)}\n`, timeoutMs));
  if (answer === undefined) return undefined;
  if ('error' in answer) throw new AgentRefusal(String(answer.error));
  // Answers are of one program, whose user alone can connect.
  return answer as AgentAnswers[Ask];
}

/** Undefined when no agent answers there. */
export function askStatus(stateDirectory: string): Promise<Status | undefined> {
  return askAgent<'status'>(stateDirectory, { ask: 'status' });
}

function exchange(stateDirectory: string, line: string, timeoutMs: number): Promise<string> {
  const socket = socketIn(stateDirectory);
  if (socket === undefined) return Promise.resolve('');
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const connection = connect(socket.path);
    connection.on('close', socket.letGo);
    const give = (text: string) => {
      connection.destroy();
      resolve(text);
    };
    connection.setTimeout(timeoutMs, () => give(''));
    connection.on('error', () => give(''));
    connection.on('connect', () => connection.write(line));
    connection.on('data', (chunk: Buffer) => {
      size += chunk.length;
      chunks.push(chunk);
      if (size > answerBytesMax) give('');
    });
    connection.on('end', () => give(Buffer.concat(chunks).toString('utf8')));
  });
}

function socketIn(stateDirectory: string): SocketPath | undefined {
  try {
    return socketPath(stateDirectory, socketName);
  } catch {
    return undefined; // reason: where there is no such directory, no agent holds it
  }
}

function parse(text: string): object | undefined {
  try {
    const answer: unknown = JSON.parse(text);
    return typeof answer === 'object' && answer !== null ? answer : undefined;
  } catch {
    return undefined; // reason: an agent that died while answering did not answer
  }
}
