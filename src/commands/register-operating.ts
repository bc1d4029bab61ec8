import type { Command } from 'commander';
import type { GlobalFlags } from './inputs.ts';
import { flagsOf, type Register } from './register.ts';

/** What tells how it does, and sets it up. */
export function registerOperating({ edge, command, give }: Register): void {
  command('status', 'show backlog, uploads and what needs you')
    .option('--watch', 'stay, and show it as it changes')
    .option('--check', 'one line and an exit code for monitoring: 0 ok, 1 warning, 2 critical')
    .action(async (_, self: Command) => {
      const { status } = await import('./status.ts');
      give(await status(edge, flagsOf(self)));
    });
  command('report', 'make the scheduled report now: backlog, credentials, disks').action(
    async (_, self: Command) => {
      const { report } = await import('./report.ts');
      give(await report(edge, flagsOf(self)));
    },
  );
  command('doctor', 'look for everything that could keep logs from the bucket; each finding with its remedy')
    .option('--write', 'also write one small object under the prefix, to see that it can be')
    .action(async (_, self: Command) => {
      const { doctor } = await import('./doctor.ts');
      give(await doctor(edge, flagsOf(self)));
    });
  const bucket = command('bucket', 'compare or set up the bucket as the setup guide says');
  for (const [name, description] of [
    ['plan', 'show what differs; changes nothing; exit code 2 when something does'],
    ['apply', 'change what differs, and nothing else; with your own credentials, not those of the agent'],
  ] as const) {
    command(name, description, bucket).action(async (_, self: Command) => {
      const commands = await import('./bucket.ts');
      give(await (name === 'plan' ? commands.bucketPlan : commands.bucketApply)(edge, flagsOf(self)));
    });
  }
  const iam = command('iam', 'what the agent has to be allowed');
  command('policy', 'print the policy for the bucket, prefix and options in force', iam).action(
    async (_, self: Command) => {
      const { iamPolicy } = await import('./iam.ts');
      give(await iamPolicy(edge, flagsOf(self)));
    },
  );
  const config = command('config', 'check or print the configuration');
  for (const [name, description, act] of [
    ['check', 'name every problem at once', 'configCheck'],
    ['print', 'print the configuration in force, with where each value came from', 'configPrint'],
  ] as const) {
    command(name, description, config).action(async (_, self: Command) => {
      const flags = flagsOf<GlobalFlags>(self);
      const commands = await import('./config.ts');
      const { answeringInputs } = await import('./answering.ts');
      const { inputs, warnings } = await answeringInputs(edge, flags);
      give(commands[act]({ inputs, warnings, write: edge.stdout, json: flags.json }));
    });
  }
  command('schema', 'print the JSON Schema of the session log').action(async () => {
    const { schemaText } = await import('./schema.ts');
    edge.stdout(schemaText());
  });
}
