const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

/** A size for people: three digits and a unit. Configuration prints exact ones. */
export function humanBytes(bytes: number): string {
  const { value, unit } = sized(bytes);
  return `${value} ${unit}`;
}

/** `1.20 of 2.30 GiB`; with both units where they differ. */
export function humanShare(part: number, whole: number): string {
  const [some, all] = [sized(part), sized(whole)];
  return some.unit === all.unit
    ? `${some.value} of ${all.value} ${all.unit}`
    : `${some.value} ${some.unit} of ${all.value} ${all.unit}`;
}

function sized(bytes: number): { value: string; unit: string } {
  let value = Math.max(0, bytes);
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return { value: unit === 0 ? `${Math.round(value)}` : value.toPrecision(3), unit: units[unit] ?? '' };
}

/** `1 session`, `2 sessions`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** The one unit that says most, two where the second still matters: `40 s`, `12 min`, `3 h 20 min`, `9 d`. */
export function humanSpan(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  const minutes = Math.round(seconds / 60);
  const hours = Math.floor(minutes / 60);
  if (seconds < 90) return `${seconds} s`;
  if (minutes < 90) return `${minutes} min`;
  if (hours >= 48) return `${Math.round(hours / 24)} d`;
  return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
}

/** Two units at most, for a column of six: `45s`, `12m04s`, `1h02m`, `3d04h`, `269d`. */
export function humanDuration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const two = (count: number) => String(count).padStart(2, '0');
  if (whole < 60) return `${whole}s`;
  if (whole < 3600) return `${Math.floor(whole / 60)}m${two(whole % 60)}s`;
  if (whole < 86_400) return `${Math.floor(whole / 3600)}h${two(Math.floor(whole / 60) % 60)}m`;
  const days = Math.floor(whole / 86_400);
  if (days >= 100) return `${days}d`;
  return `${days}d${two(Math.floor(whole / 3600) % 24)}h`;
}

/** `2026-11-28 19:08`, in UTC. */
export function humanTime(time: string | number): string {
  return new Date(time).toISOString().slice(0, 16).replace('T', ' ');
}

/** Money: cents while they matter. */
export function humanCost(cost: number, currency = ''): string {
  const amount = cost < 1000 ? cost.toFixed(2) : String(Math.round(cost));
  return `${amount} ${currency}`.trim();
}
