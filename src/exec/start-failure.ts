import type { CommandEnd } from './outcome.ts';

const causes: Readonly<Record<string, string>> = {
  EACCES: 'this user may not execute it',
  E2BIG: 'arguments and environment are more than the system takes',
  ETXTBSY: 'a program has it open for writing',
  ENOEXEC: 'it is no program of this machine',
  EAGAIN: 'the limit of processes is reached',
  ENOMEM: 'there is no memory for a process',
  EMFILE: 'the limit of open files is reached',
};

/**
 * Why a command could not be started, with the code that shells give: 127 for what is not there, 126 for what cannot be
 * run. `isThere`: the file by its name is, so what is absent is what it asks to be run by.
 */
export function startFailure(name: string, code: string, isThere: boolean): CommandEnd {
  const isAbsent = code === 'ENOENT' || code === 'ENOTDIR';
  const absent = isThere
    ? 'the interpreter (behind #!), loader or working directory that it needs is not there'
    : 'it is not there';
  const cause = isAbsent ? absent : causes[code];
  return {
    code: isAbsent ? 127 : 126,
    cause: `starting ${JSON.stringify(name)}: ${cause === undefined ? code : `${cause} (${code})`}`,
  };
}
