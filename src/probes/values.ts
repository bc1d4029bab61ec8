import type { Variables } from './probe.ts';

/** Longer than any name or number that is meant to be one. */
const charactersMax = 256;

/** Text as it is worth keeping; undefined when it is empty, has control characters in it, or is too long to be a name. */
export function plainText(text: string | undefined): string | undefined {
  const trimmed = text?.trim();
  if (trimmed === undefined || trimmed === '' || trimmed.length > charactersMax) return undefined;
  return /[\p{Cc}\p{Cs}]/u.test(trimmed) ? undefined : trimmed;
}

/** A number of GPUs. */
export function gpuCount(text: string | undefined): number | undefined {
  const digits = /^[1-9]\d{0,3}$/.exec(text?.trim() ?? '')?.[0];
  return digits === undefined ? undefined : Number(digits);
}

export function told<T>(value: T | undefined, by: string): { value: T; by: string } | undefined {
  return value === undefined ? undefined : { value, by };
}

/** A variable as text, empty ones left out. */
export function textOf(environment: Variables, name: string): { value: string; by: string } | undefined {
  return told(plainText(variable(environment, name)), name);
}

export function gpuCountOf(environment: Variables, name: string): { value: number; by: string } | undefined {
  return told(gpuCount(variable(environment, name)), name);
}

export function variable(environment: Variables, name: string): string | undefined {
  return Object.hasOwn(environment, name) ? environment[name] : undefined;
}

/** A price that an interface gives as a number, or as text. */
export function price(value: unknown): number | undefined {
  const number = typeof value === 'string' && /^\d{1,9}(\.\d{1,12})?$/.test(value) ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) && number > 0 && number < 1e6
    ? number
    : undefined;
}
