import { copyFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { installProgram } from '../support/package-install.ts';
import { buildPackage, layTraining, type Trained } from './brought.ts';
import { machinePrograms } from './machine-programs.ts';
import { makeMachineSystem, VirtualMachine } from './virtual-machine.ts';

/** What machines are made of, made once a file of tests. */
export class MachineParts {
  readonly #system: string;
  readonly #package: string;

  constructor() {
    for (const program of machinePrograms) {
      const absence = installProgram(program, process.env, (line) => process.stderr.write(`${line}\n`));
      if (absence !== undefined) throw new Error(absence);
    }
    this.#package = buildPackage().file;
    this.#system = makeMachineSystem();
  }

  machineWith(sessions: readonly Trained[]): VirtualMachine {
    return new VirtualMachine(this.#system, (directory) => {
      copyFileSync(this.#package, join(directory, 'trainlogd.deb'));
      layTraining(join(directory, 'training'), sessions);
    });
  }

  remove(): void {
    for (const directory of [this.#system, dirname(this.#package)])
      rmSync(directory, { recursive: true, force: true });
  }
}
