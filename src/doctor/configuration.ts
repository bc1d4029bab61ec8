import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { describeProblem } from '../config/problem.ts';
import { type Diagnosis, found } from './finding.ts';
import type { Visit } from './visit.ts';

/** Every problem at once, and what files of variables have that others read differently. */
export async function checkConfiguration(visit: Visit): Promise<readonly Diagnosis[]> {
  const { problems, warnings, readFrom, envFile } = visit;
  const wrong = problems.map((problem) =>
    found('critical', 'config.problem', describeProblem(problem), {
      remedy:
        'correct it there; trainlogd config check says whether it holds, trainlogd config print what is in force',
    }),
  );
  const odd = warnings.map((warning) =>
    found('warning', 'config.warning', warning, { remedy: warningRemedy(warning) }),
  );
  const from = readFrom.length === 0 ? 'no file, defaults alone' : readFrom.join(', ');
  const ok = wrong.length > 0 ? [] : [found('ok', 'config.ok', `read from ${from}`)];
  return [...ok, ...wrong, ...odd, ...(await fileFindings(envFile))];
}

function warningRemedy(warning: string): string {
  if (/were removed/.test(warning))
    return 'write NAME=value, without spaces and quotes: docker and systemd would take them as a part of the value';
  if (/us-east-1 is assumed/.test(warning)) return 'set AWS_REGION to the region of the bucket';
  if (/second time/.test(warning)) return 'remove one of the two lines';
  return 'correct it there';
}

const readBytesMax = 64 * 1024;
const keys = /AWS_(SECRET_ACCESS_KEY|SESSION_TOKEN)/;

/** Keys that others on the host can read, and what is read rightly here but wrongly by others given the same file. */
async function fileFindings(file: string): Promise<Diagnosis[]> {
  const read = await beginning(file);
  if (read === undefined) return [];
  const { text, mode } = read;
  const isOpen = (mode & 0o044) !== 0 && keys.test(text);
  return [...(isOpen ? [openTo(file, mode)] : []), ...formOf(file, text)];
}

function openTo(file: string, mode: number): Diagnosis {
  const who = (mode & 0o004) === 0 ? 'its group' : 'every user of this host';
  const remedy = `chmod 600 ${JSON.stringify(file)}, owned by the user that trainlogd runs as`;
  const said = `${JSON.stringify(file)} holds keys and can be read by ${who}`;
  return found('warning', 'config.envFileOpen', said, { remedy });
}

function formOf(file: string, text: string): Diagnosis[] {
  const odd = [
    ...(text.startsWith('\uFEFF') ? ['a byte order mark at its beginning'] : []),
    ...(/\r/.test(text) ? ['carriage returns at the ends of lines'] : []),
    ...(/^\s*export\s/m.test(text) ? ['"export" before names'] : []),
  ];
  if (odd.length === 0) return [];
  const said = `${JSON.stringify(file)} has ${odd.join(', ')}: read rightly here, but not by docker --env-file or systemd's EnvironmentFile`;
  return [found('ok', 'config.envFileForm', said)];
}

async function beginning(path: string): Promise<{ text: string; mode: number } | undefined> {
  try {
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const { mode } = await file.stat();
      const { bytesRead, buffer } = await file.read(Buffer.alloc(readBytesMax), 0, readBytesMax, 0);
      return { text: buffer.toString('utf8', 0, bytesRead), mode };
    } finally {
      await file.close();
    }
  } catch {
    return undefined; // reason: there need not be one; loading has told of one that cannot be read
  }
}
