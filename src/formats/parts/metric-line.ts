/** What one line of a training's output says about its progress. */
export interface MetricLine {
  readonly step?: number;
  readonly epoch?: number;
  /** Of the epoch when both are counted out of a total: then `step` begins anew with every epoch. */
  readonly stepsMax?: number;
  readonly epochsMax?: number;
  readonly inEpoch: boolean;
  /** NaN stays NaN here. */
  readonly values: readonly (readonly [string, number])[];
}

const lengthMax = 2000;
const valuesMax = 40;

/** Whatever is not this is no progress; cheap, since logs of gigabytes pass here. */
const worthReading = /step|iter|epoch|^\d{1,12} (?:train|val|hella) |\bit\b/i;
/** What stands between a name and its number may be a colon or an equals sign, a blank, both. */
const number =
  /(?<![\w.])[-+]?(?:\d{1,20}(?:\.\d{0,20})?|\.\d{1,20}|nan(?=m?s?\b)|inf(?:inity)?\b)(?:e[-+]?\d{1,3})?/gi;
const unit = /^(ms|us|s|%|min|h|it\/s|s\/it|k|M|G)?(?![A-Za-z0-9])/;
const label =
  /(?:^|[\s|,;:()[\]{}>]| - |_-)['"]?([A-Za-z][\w./@+-]{0,47}(?: [A-Za-z][\w./@+-]{0,31}){0,2})['"]? ?([:=]?) ?[[(']?$/;
const stepNames = /^(?:global[_ ]?step|steps?|iter(?:ation)?s?|it|current_steps|train(?:ing)? step)$/;
const epochNames = /^(?:epochs?|ep|train(?:ing)? epoch)$/;
/** A line is believed to be about training when one of its names is of these. */
const metricNames =
  /loss|acc(?:uracy)?$|ppl|perplexity|bpb|^lr$|learning[_ ]rate|grad|norm|mfu|tok|reward|error|f1|auc|iou|map|psnr|wer|cer|bleu|rouge|hella|score|throughput|mse|mae/;
/** These are enough without a colon. */
const bare =
  /^(?:(?:train(?:ing)?|val(?:id(?:ation)?)?|eval(?:uation)?|test|avg|mean|total) )?(?:loss|acc(?:uracy)?|norm)$|^(?:lr|learning rate|mfu|time|dt)$/;

/** Undefined for a line that names no step and no epoch, or nothing that is measured. */
export function readMetricLine(line: string): MetricLine | undefined {
  const cut = line.length > lengthMax ? line.slice(0, lengthMax) : line;
  if (!worthReading.test(cut)) return undefined;
  const text = afterBar(cut.replace(/\s+/g, ' ').trim());
  return readPlain(text) ?? readNamed(text);
}

/** build-nanogpt's log: `<step> train|val|hella <value>`. */
function readPlain(text: string): MetricLine | undefined {
  const match = /^(\d{1,12}) (train|val|hella) (nan|[-+]?\d{1,20}(?:\.\d{1,20})?(?:e[-+]?\d{1,3})?)$/i.exec(
    text,
  );
  if (match === null) return undefined;
  const [, step = '', what = '', value = ''] = match;
  const name = { train: 'loss', val: 'val_loss' }[what.toLowerCase()] ?? 'hella';
  return { step: Number(step), inEpoch: false, values: [[name, toNumber(value)]] };
}

/** A progress bar's own numbers say nothing; what stands before and behind it may. */
function afterBar(text: string): string {
  const bar = /:? ?\d{1,3}%\|/.exec(text);
  if (bar === null) return text;
  const end = text.indexOf('[', bar.index);
  const told = end < 0 ? -1 : text.indexOf(', ', text.indexOf('<', end));
  const pairs = told < 0 ? '' : text.slice(told + 2).replace(/^[\d.?]{1,12}(?:it\/s|s\/it),? ?/, '');
  return `${text.slice(0, bar.index)} | ${pairs}`;
}

function readNamed(text: string): MetricLine | undefined {
  const found = new Line(text);
  number.lastIndex = 0;
  let end = 0;
  for (let count = 0; count < 2 * valuesMax; count += 1) {
    const match = number.exec(text);
    if (match === null) break;
    end = found.take(text.slice(end, match.index), match[0], match.index + match[0].length);
    number.lastIndex = Math.max(end, number.lastIndex);
  }
  return found.told();
}

class Line {
  readonly #text: string;
  readonly #values = new Map<string, number>();
  #step: number | undefined;
  #epoch: number | undefined;
  #stepsMax: number | undefined;
  #epochsMax: number | undefined;

  constructor(text: string) {
    this.#text = text;
  }

  /** Where the next name can begin: behind the number's unit. */
  take(before: string, literal: string, end: number): number {
    const rest = this.#text.slice(end, end + 32);
    const named = label.exec(before.slice(-140));
    const total = /^ ?\/ ?(\d{1,12})(?![\w.])/.exec(rest);
    const behind = end + (total?.[0].length ?? 0);
    const units = unit.exec(this.#text.slice(behind, behind + 8));
    if (units === null || named === null) return behind;
    const name = (named[1] ?? '').toLowerCase();
    const value = toNumber(literal);
    const last = name.slice(name.lastIndexOf(' ') + 1);
    if (stepNames.test(name) || stepNames.test(last)) this.#takeStep(value, total?.[1]);
    else if (epochNames.test(name) || epochNames.test(last)) this.#takeEpoch(value, total?.[1]);
    else if (named[2] !== '' || bare.test(name)) this.#takeValue(name, value, units[1]);
    return behind + units[0].length;
  }

  told(): MetricLine | undefined {
    const values = [...this.#values];
    if (this.#step === undefined && this.#epoch === undefined) return undefined;
    if (!values.some(([name]) => metricNames.test(name))) return undefined;
    const inEpoch = this.#epoch !== undefined && this.#step !== undefined && this.#stepsMax !== undefined;
    return {
      ...(this.#step !== undefined && { step: this.#step }),
      ...(this.#epoch !== undefined && { epoch: this.#epoch }),
      ...(this.#stepsMax !== undefined && { stepsMax: this.#stepsMax }),
      ...(this.#epochsMax !== undefined && { epochsMax: this.#epochsMax }),
      inEpoch,
      values,
    };
  }

  #takeStep(value: number, total: string | undefined): void {
    if (this.#step !== undefined || !Number.isSafeInteger(value) || value < 0) return;
    this.#step = value;
    if (total !== undefined) this.#stepsMax = Number(total);
  }

  #takeEpoch(value: number, total: string | undefined): void {
    if (this.#epoch !== undefined || !Number.isFinite(value) || value < 0) return;
    this.#epoch = value;
    if (total !== undefined) this.#epochsMax = Number(total);
  }

  #takeValue(name: string, value: number, units: string | undefined): void {
    if (this.#values.size >= valuesMax) return;
    const key = name.replaceAll(' ', '_');
    const named = (units === 'ms' || units === 's') && !key.endsWith(`_${units}`) ? `${key}_${units}` : key;
    if (!this.#values.has(named)) this.#values.set(named, value);
  }
}

function toNumber(literal: string): number {
  return /inf|nan/i.test(literal) ? Number.NaN : Number(literal);
}
