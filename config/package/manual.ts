import type { Described } from './described.ts';

/** trainlogd(1) in the macros of man(7): the text of `--help`, set as a page. `date`: YYYY-MM-DD of the release. */
export function manualPage(
  [program, ...commands]: readonly Described[],
  version: string,
  date: string,
): string {
  if (!program) throw new Error('there is no program to describe');
  return [
    `.TH TRAINLOGD 1 ${date} "trainlogd ${version}" "User Commands"`,
    '.SH NAME',
    `trainlogd \\- ${lowerFirst(escapeText(program.description)).replace(/\.$/, '')}`,
    '.SH SYNOPSIS',
    '.B trainlogd',
    '.RI [ options ]',
    '.I command',
    '.SH OPTIONS',
    'Of every command:',
    ...program.options.flatMap(optionLines),
    '.SH COMMANDS',
    ...commands.flatMap((command) => commandLines(command)),
    '.SH FILES AND EXIT STATUS',
    ...verbatim(program.after),
    '.SH SEE ALSO',
    '.BR systemd.service (5),',
    '/usr/share/doc/trainlogd/reference.md',
    '',
  ].join('\n');
}

function commandLines({ name, usage, description, options, after }: Described): string[] {
  const own = options.filter(({ names }) => !names.includes('--help'));
  return [
    `.SS trainlogd ${escapeText(name)} ${escapeText(usage.replace(/^\[options\]\s*/, ''))}`.trimEnd(),
    `${escapeText(capitalise(description))}.`,
    ...own.flatMap(optionLines),
    ...(after === '' ? [] : ['.PP', ...verbatim(after)]),
  ];
}

function optionLines({ flags, text }: Described['options'][number]): string[] {
  return ['.TP', `.B ${escapeText(flags)}`, escapeText(capitalise(text))];
}

/** Lines that are aligned as they stand. */
function verbatim(text: string): string[] {
  return ['.nf', ...text.split('\n').map(escapeText), '.fi'];
}

/** A backslash, a dash that must stay one, and what a line may not begin with. */
function escapeText(text: string): string {
  const escaped = text.replaceAll('\\', '\\e').replaceAll('-', '\\-');
  return /^[.']/.test(escaped) ? `\\&${escaped}` : escaped;
}

function capitalise(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
