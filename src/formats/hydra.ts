import { isJsonObject, type JsonObject, type JsonValue } from '../domain/json.ts';
import { knownConfig, rawConfig } from './parts/config-fields.ts';
import { FactCollector } from './parts/fact-collector.ts';
import { parseSafeYaml, yamlBytesMax } from './parts/safe-yaml.ts';
import { type FormatReader, nothing, UnreadableFile } from './reader.ts';

/**
 * Hydra's output directories (hydra/core/utils.py: run_job): `outputs/<day>/<time>` and `multirun/<day>/<time>/<n>`, each
 * with the configuration as it was composed in `.hydra/`. It launches trainings of any framework, and says no end.
 */

const configFile = '.hydra/config.yaml';
const overridesFile = '.hydra/overrides.yaml';
const overridesMax = 256;
const overrideLengthMax = 256;

export const hydraReader: FormatReader = {
  name: 'hydra',
  looksInto: /^\.hydra$/,

  recognise(directory) {
    if (!directory.names.has('.hydra') || !directory.below('.hydra').has('config.yaml')) return undefined;
    return { confidence: 'likely', reason: configFile };
  },

  select(files) {
    const there = files.map(({ path }) => path);
    const common = { manner: 'whole', keep: 'companion', bytesMax: yamlBytesMax } as const;
    return [
      ...(there.includes(configFile) ? [{ ...common, path: configFile, parse: parseConfig }] : []),
      ...(there.includes(overridesFile) ? [{ ...common, path: overridesFile, parse: parseOverrides }] : []),
    ];
  },

  assess(read) {
    const config = read.find(({ path }) => path === configFile)?.parsed as Composed | undefined;
    if (config === undefined) return nothing;
    const facts = new FactCollector();
    facts.config(knownConfig(config.document), configFile);
    const { raw, warning } = rawConfig(config.document);
    if (raw) facts.config({ raw }, configFile);
    for (const text of [...config.warnings, ...(warning === undefined ? [] : [warning])])
      facts.warn(configFile, text);
    const overrides = read.find(({ path }) => path === overridesFile)?.parsed as
      | readonly string[]
      | undefined;
    // Hydra takes its own section out of the configuration, so the name is free.
    if (overrides && overrides.length > 0) facts.raw('hydra', { overrides: [...overrides] }, overridesFile);
    return facts.assessment();
  },
};

interface Composed {
  readonly document: JsonObject;
  readonly warnings: readonly string[];
}

function parseConfig(bytes: Buffer): Composed {
  const { value, warnings } = parseSafeYaml(bytes);
  // An empty configuration is written as `{}`; an empty file is one that is being written.
  if (!isJsonObject(value)) throw new UnreadableFile('no configuration of Hydra: no mapping');
  return { document: value, warnings };
}

/** `- lr=0.1`, as they were given on the command line. */
function parseOverrides(bytes: Buffer): readonly string[] {
  const value: JsonValue = parseSafeYaml(bytes).value;
  if (!Array.isArray(value)) throw new UnreadableFile('no overrides of Hydra: no list');
  const texts = value.filter((one) => typeof one === 'string').slice(0, overridesMax);
  return texts.map((one) => one.slice(0, overrideLengthMax));
}
