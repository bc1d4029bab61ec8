/** Round numbers from `low` to `high`, about so many; two at least where there are any, since one gives no measure. */
export function ticks(low: number, high: number, count: number): readonly number[] {
  const found = roundNumbers(low, high, Math.max(1, count));
  return found.length < 2 && high > low ? roundNumbers(low, high, 2 * Math.max(1, count)) : found;
}

function roundNumbers(low: number, high: number, count: number): readonly number[] {
  const step = niceStep((high - low) / count);
  if (!Number.isFinite(step) || step <= 0) return [low];
  const first = Math.ceil(low / step);
  const last = Math.floor(high / step + 1e-9);
  // Bounded, whatever the numbers are: 1e308 loses its small steps.
  const found = Math.min(Math.max(0, last - first + 1), 20);
  return Array.from({ length: found }, (_, at) => Number(((first + at) * step).toPrecision(12)));
}

function niceStep(raw: number): number {
  const power = 10 ** Math.floor(Math.log10(raw));
  const share = raw / power;
  return power * ([1, 2, 5].find((nice) => share <= nice) ?? 10);
}

/** Powers of ten within, thinned to seven; at least the ends. */
export function logTicks(least: number, most: number): readonly number[] {
  const [low, high] = [Math.ceil(Math.log10(least)), Math.floor(Math.log10(most))];
  const every = Math.max(1, Math.ceil((high - low + 1) / 7));
  const powers: number[] = [];
  for (let power = low; power <= high; power += every) powers.push(Number(`1e${power}`));
  return powers.length > 1 ? powers : [least, most];
}
