import { readFile, readlink } from 'node:fs/promises';
import { hostname } from 'node:os';
import { z } from 'zod';
import type { ProcessIdentity } from '../ports/process-table.ts';
import { createProcessTable } from './proc-table.ts';

/** Who made a lock or a temporary directory, as it stands in them. The process is absent where there is no /proc. */
const ownerSchema = z.object({
  host: z.string(),
  process: z
    .object({
      pid: z.number(),
      startTicks: z.string(),
      startedAtMs: z.number(),
      bootId: z.string(),
      pidNamespace: z.string(),
    })
    .optional(),
});

const processes = createProcessTable();

export async function describeOwner(): Promise<string> {
  const process = await ownIdentity();
  return JSON.stringify({ host: hostname(), ...(process === undefined ? {} : { process }) });
}

/** True only where it is known that the process is gone: not of another host's, nor of one out of view. */
export async function isOwnerGone(ownerFile: string): Promise<boolean> {
  const owner = await readOwner(ownerFile);
  if (owner?.process === undefined || owner.host !== hostname()) return false;
  return !(await processes.isAlive(owner.process));
}

async function readOwner(ownerFile: string): Promise<z.infer<typeof ownerSchema> | undefined> {
  try {
    return ownerSchema.parse(JSON.parse(await readFile(ownerFile, 'utf8')));
  } catch {
    return undefined; // reason: not yet written, half written, or gone by now: the age decides
  }
}

async function ownIdentity(): Promise<ProcessIdentity | undefined> {
  try {
    return await processes.identify(Number(await readlink('/proc/self')));
  } catch {
    return undefined; // reason: no /proc here: the age decides
  }
}
