import { type Copy, DockerfileParser, type Healthcheck, type Instruction } from 'dockerfile-ast';
import { validate } from 'dockerfile-utils';

/** From one FROM to the next. */
interface Stage {
  readonly name: string | null;
  /** With the default of its ARG in the place of a variable. */
  readonly base: string;
  readonly instructions: readonly Instruction[];
}

type Find = (stage: Stage, earlier: readonly (string | null)[], isLast: boolean) => readonly string[];

/**
 * What the validator of Docker's language server says of a Dockerfile, warnings too, and what hadolint would say beyond
 * that and matters to an image like ours; DL numbers are hadolint's.
 */
export function dockerfileFaults(text: string): string[] {
  const stages = stagesOf(text);
  const rules: readonly Find[] = [baseFaults, instructionFaults, copyFaults, runFaults, lastStageFaults];
  return [
    ...validate(text).map(({ message, range }) => `line ${range.start.line + 1}: ${message}`),
    ...stages.flatMap((stage, at) => {
      const earlier = stages.slice(0, at).map(({ name }) => name);
      return rules.flatMap((find) => find(stage, earlier, at === stages.length - 1));
    }),
  ];
}

function stagesOf(text: string): Stage[] {
  const file = DockerfileParser.parse(text);
  const defaults = new Map(
    file.getInitialARGs().map((arg) => [arg.getProperty()?.getName(), arg.getProperty()?.getValue()]),
  );
  const all = file.getInstructions();
  const froms = file.getFROMs();
  return froms.map((from, at) => {
    const next = froms[at + 1];
    return {
      name: from.getBuildStage(),
      base: (from.getImage() ?? '').replace(/\$\{?(\w+)\}?/g, (_, name: string) => defaults.get(name) ?? ''),
      instructions: all.slice(all.indexOf(from) + 1, next && all.indexOf(next)),
    };
  });
}

/** `latest`, no tag and `24` are other bytes tomorrow; two numbers are a release's. */
const baseFaults: Find = ({ base }, earlier) =>
  base === 'scratch' || earlier.includes(base) || /@sha256:[0-9a-f]{64}$|:\d+\.\d[^:/]*$/.test(base)
    ? []
    : [`DL3006 FROM "${base}": neither a digest nor the tag of a release`];

const instructionFaults: Find = ({ instructions }) =>
  instructions.flatMap((instruction) => {
    const name = instruction.getKeyword();
    const words = instruction.getArgumentsContent() ?? '';
    const command = name === 'HEALTHCHECK' ? words.replace(/^CMD\s*/, '') : words;
    if (name === 'ADD') return [`DL3020 ADD ${words}: it fetches and unpacks, COPY does neither`];
    if (name === 'EXPOSE' && words.split(/\s+/).some((port) => Number.parseInt(port, 10) > 65_535))
      return [`DL3011 EXPOSE ${words}: no such port`];
    if (name === 'SHELL') return [`SHELL ${words}: there is none at run time`];
    if (['CMD', 'ENTRYPOINT', 'HEALTHCHECK'].includes(name) && !command.startsWith('[') && words !== 'NONE')
      return [`DL3025 ${name} ${words}: needs a shell, write it as JSON`];
    return [];
  });

const copyFaults: Find = ({ instructions }, earlier) =>
  instructions.filter(isCopy).flatMap((copy) => {
    const from = copy.getFromFlag()?.getValue();
    return from === undefined || earlier.includes(from)
      ? []
      : [`DL3022 COPY --from=${from}: no earlier stage of that name`];
  });

const runFaults: Find = ({ instructions }) =>
  instructions
    .filter((instruction) => instruction.getKeyword() === 'RUN')
    .flatMap((instruction) => shellFaults(instruction.getArgumentsContent() ?? ''));

function shellFaults(run: string): string[] {
  const commands = run.split(/&&|\|\||[;{}]/).map((command) => command.trim());
  const does = (pattern: RegExp) => commands.some((command) => pattern.test(command));
  const installs = commands.filter((command) => /^apt-get install\b/.test(command));
  const faults: readonly (readonly [boolean, string])[] = [
    [does(/^cd\b/), 'DL3003 cd: WORKDIR is seen by what follows'],
    [does(/^sudo\b/), 'DL3004 sudo'],
    [does(/^apt-get (dist-)?upgrade\b/), 'DL3005 apt-get upgrade: the base is pinned for a reason'],
    [does(/^apt\b(?!-)/), 'DL3027 apt is for terminals, apt-get for scripts'],
    [does(/^npm (i|install|add)\b/), 'DL3016 npm install: npm ci installs what the lock names'],
    [does(/[^|]\|[^|]/), 'DL4006 a pipe hides what failed before it'],
    [installs.some((install) => !/ (-y|--yes)\b/.test(install)), 'DL3014 apt-get install without -y'],
    [
      installs.some((install) => !install.includes(' --no-install-recommends')),
      'DL3015 apt-get install without --no-install-recommends',
    ],
    [
      installs.length > 0 && !(does(/^apt-get update\b/) && does(/^rm -rf \/var\/lib\/apt\/lists\/\*/)),
      'DL3009 apt-get install without its lists, fetched before and removed after in the same RUN',
    ],
  ];
  return faults.flatMap(([isThere, fault]) => (isThere ? [`${fault} (RUN ${run.slice(0, 40)}…)`] : []));
}

/** What a container of the image starts with. */
const lastStageFaults: Find = ({ instructions }, _, isLast) => {
  if (!isLast) return [];
  const last = (keyword: string) => instructions.findLast((found) => found.getKeyword() === keyword);
  const user = last('USER')?.getArgumentsContent() ?? 'none, so root';
  const check = instructions.findLast(isHealthcheck)?.getSubcommand()?.getValue();
  return [
    // Kubernetes' runAsNonRoot believes numbers alone.
    ...(/^[1-9]\d*(:[1-9]\d*)?$/.test(user) ? [] : [`DL3002 USER ${user}: not a number above 0`]),
    ...(check === 'CMD' ? [] : ['DL3057 no HEALTHCHECK']),
    ...(last('ENTRYPOINT') ? [] : ['no ENTRYPOINT']),
  ];
};

function isCopy(instruction: Instruction): instruction is Copy {
  return instruction.getKeyword() === 'COPY';
}

function isHealthcheck(instruction: Instruction): instruction is Healthcheck {
  return instruction.getKeyword() === 'HEALTHCHECK';
}
