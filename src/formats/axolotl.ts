import { AxolotlLog } from './parts/axolotl-log.ts';
import { knownConfig, rawConfig } from './parts/config-fields.ts';
import { FactCollector } from './parts/fact-collector.ts';
import { isTrainingBegunAfter, noTraces } from './parts/trainer-activity.ts';
import { type FormatReader, nothing } from './reader.ts';

/** What axolotl writes beside what the Trainer below it does: debug.log. */

const logName = 'debug.log';

export const axolotlReader: FormatReader = {
  name: 'axolotl',

  recognise({ names }) {
    if (!names.has(logName)) return undefined;
    const believe = (bytes: Buffer) => bytes.includes('[axolotl.');
    return {
      confidence: 'likely',
      reason: logName,
      proof: { paths: [logName], bytesMax: 16 * 1024, believe },
    };
  },

  select(files) {
    return files
      .filter(({ path }) => path === logName)
      .map(({ path }) => ({
        manner: 'append' as const,
        path,
        keep: 'companion' as const,
        follow: () => new AxolotlLog(),
      }));
  },

  assess(read, session) {
    const file = read.find(({ path }) => path === logName);
    const log = file?.segments?.at(-1);
    if (!file || !(log instanceof AxolotlLog) || !log.isAxolotl) return nothing;
    const facts = new FactCollector();
    facts.session('framework', 'axolotl', logName);
    if (log.config) {
      const { raw, warning } = rawConfig(log.config);
      facts.config({ ...knownConfig(log.config), ...(raw && { raw }) }, logName);
      if (warning !== undefined) facts.warn(logName, warning);
    }
    const evidence = { path: logName, atMs: file.modifiedAtMs };
    const isOver = log.isFinished && !isTrainingBegunAfter(evidence, session.files, noTraces);
    const goesOn = (log.isFinished && !isOver) || log.isBegunAgain;
    return facts.assessment(isOver ? { status: 'completed', by: logName } : undefined, goesOn);
  },
};
