import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import type { Destination } from '../config/config.ts';
import { describeProblem } from '../config/problem.ts';
import { type Diagnosis, found } from './finding.ts';
import type { Visit } from './visit.ts';

/** Every problem at once, and what files of variables have that others read differently. */
export async function checkConfiguration(visit: Visit): Promise<readonly Diagnosis[]> {
  const { problems, warnings, readFrom, envFile, destination } = visit;
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
  return [...ok, ...wrong, ...odd, ...endpointFindings(destination), ...(await fileFindings(envFile))];
}

const remedies: readonly (readonly [RegExp, string])[] = [
  [
    /were removed/,
    'write NAME=value, without spaces and quotes: others, docker --env-file for one, take them as a part of the value',
  ],
  [/us-east-1 is assumed/, 'set AWS_REGION to the region of the bucket'],
  [/second time/, 'remove one of the two lines'],
  [
    /not covered by the guide's policy/,
    'begin it with training-logs/, or let policy and lifecycle rules cover it: trainlogd iam policy, trainlogd bucket plan',
  ],
  [/without AWS_SESSION_TOKEN/, 'set AWS_SESSION_TOKEN as well: all three values come together'],
  [/ignored, since neither/, 'set the access key and its secret beside it, or unset it'],
  [/it was left out/, 'let the user that trainlogd runs as read it, or name another with --env-file'],
];

function warningRemedy(warning: string): string {
  return remedies.find(([pattern]) => pattern.test(warning))?.[1] ?? 'correct it there';
}

/** The bucket's own address, as a browser or a console shows it, in place of the server's. */
function endpointFindings(destination: Destination | undefined): Diagnosis[] {
  if (destination?.kind !== 's3' || destination.endpoint === undefined) return [];
  const { bucket, endpoint } = destination;
  const { protocol, host, pathname } = new URL(endpoint);
  const isInHost = host.startsWith(`${bucket}.`);
  if (!isInHost && !pathname.split('/').includes(bucket)) return [];
  const server = isInHost ? host.slice(bucket.length + 1) : host;
  const said = `the endpoint ${JSON.stringify(endpoint)} names the bucket, which would be asked for a bucket inside of it`;
  const remedy = `name the server alone: AWS_ENDPOINT_URL_S3=${protocol}//${server}, or none for AWS`;
  return [found('warning', 'config.endpoint', said, { remedy })];
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
  const said = `${JSON.stringify(file)} has ${odd.join(', ')}: read rightly here; others, docker --env-file for one, do not`;
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
