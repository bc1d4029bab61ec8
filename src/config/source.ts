/** Where a value comes from. `at` is what people are told: `FILE:LINE`, `environment (NAME)`, `default`. */
export interface Source {
  readonly layer: 'default' | 'file' | 'dotenv' | 'environment' | 'commandLine';
  readonly at: string;
}
export interface Setting {
  readonly raw: unknown;
  readonly source: Source;
}
/** What one place sets, by option key. */
export type Layer = ReadonlyMap<string, Setting>;
