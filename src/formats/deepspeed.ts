import { checkpointDirectories, checkpointEntries } from './parts/checkpoints.ts';
import { FactCollector } from './parts/fact-collector.ts';
import { type FormatReader, nothing, UnreadableFile } from './reader.ts';

/** DeepSpeed's checkpoints: directories `global_stepN`, and a file `latest` that names the newest one. */

const latestName = 'latest';
const tag = /^global_step(\d{1,15})\s{0,4}$/;

export const deepspeedReader: FormatReader = {
  name: 'deepspeed',

  recognise({ name, names }) {
    // Inside a checkpoint of a Trainer there is one, too.
    if (/^(?:tmp-)?checkpoint-\d{1,15}$/.test(name) || !names.has(latestName)) return undefined;
    if (![...names].some((one) => tag.test(one))) return undefined;
    const believe = (bytes: Buffer) => tag.test(bytes.toString('latin1'));
    return {
      confidence: 'likely',
      reason: latestName,
      proof: { paths: [latestName], bytesMax: 64, believe },
    };
  },

  select(files) {
    return files
      .filter(({ path }) => path === latestName)
      .map(({ path }) => ({
        manner: 'whole' as const,
        path,
        keep: 'companion' as const,
        bytesMax: 64,
        parse: readLatest,
      }));
  },

  assess(read, { files }) {
    const step = read.find(({ path }) => path === latestName)?.parsed;
    if (typeof step !== 'number') return nothing;
    const facts = new FactCollector();
    facts.session('framework', 'deepspeed', latestName);
    facts.results({ stepsCompleted: step }, latestName);
    const checkpoints = checkpointDirectories(files, /^global_step(\d{1,15})$/, () => true);
    // The newest is whole only when `latest` names it.
    const checkpointsSaved = checkpointEntries(checkpoints.filter((one) => one.step <= step));
    if (checkpointsSaved) facts.results({ checkpointsSaved }, latestName);
    return facts.assessment();
  },
};

function readLatest(bytes: Buffer): number {
  const step = tag.exec(bytes.toString('latin1'))?.[1];
  if (step === undefined) throw new UnreadableFile('expected the name of a checkpoint like global_step100');
  return Number(step);
}
