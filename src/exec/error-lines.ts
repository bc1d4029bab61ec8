/**
 * The lines of an output's last bytes that tell why it failed: the last traceback of Python and what announces memory
 * that ran out; else lines that look like an error; else the last ones. Empty when there was no output.
 */
export function errorLines(stderr: string, stdout: string): string[] {
  const outputs = [stderr, stdout].map((text) => withoutIgnored(plainLines(text)));
  const telling = outputs.map(tellingLines).find((lines) => lines.length > 0);
  if (telling) return telling;
  const last = outputs.find((lines) => lines.length > 0) ?? [];
  return last.slice(-lastLinesMax);
}

const lastLinesMax = 10;
const tracebackLinesMax = 40;
const lineLengthMax = 500;

// ECMA-48: CSI and OSC sequences, other escapes of two characters.
const [esc, bell] = ['\u001b', '\u0007'];
const escapes = new RegExp(
  `${esc}(?:\\[[0-?]*[ -/]*[@-~]|\\][^${bell}${esc}]*(?:${bell}|${esc}\\\\)?|[@-Z\\\\^_])`,
  'g',
);

/** As a terminal shows them at the end: without colours, of an overwritten line what was written last. Empty ones go. */
export function plainLines(text: string): string[] {
  return text
    .replace(escapes, '')
    .split('\n')
    .map((line) => (line.split('\r').findLast((part) => part.trim() !== '') ?? '').trimEnd())
    .filter((line) => line !== '')
    .map((line) => clean(line.length > lineLengthMax ? `${line.slice(0, lineLengthMax)}…` : line));
}

function clean(line: string): string {
  return line.replace(/[\p{Cc}]/gu, (character) => (character === '\t' ? '\t' : ''));
}

/** PyTorch puts the rank before each line of a process that fails among others. */
const ownPrefix = /^(?:\[[a-z_]*\d+\]:\s?)?/i;
const tracebackHead = /^Traceback \(most recent call last\):$/;
const outOfMemory =
  /CUDA out of memory|CUDA error: out of memory|OutOfMemoryError|HIP out of memory|RESOURCE_EXHAUSTED/;
const looksFatal =
  /^[\w.]*(?:Error|Exception|Interrupt)\b|\b(?:CUDA|NCCL|cuDNN) error\b|^(?:fatal|error)\b|Segmentation fault|Bus error|core dumped|No space left on device|Killed$/i;
/** What a launcher raises because one of its processes failed: true, and beside the point. */
const secondHand = /(?:ChildFailedError|CalledProcessError|ProcessRaisedException|SignalException)\b/;

function tellingLines(lines: readonly string[]): string[] {
  const blocks = tracebacks(lines);
  const block = blocks.findLast((one) => !secondHand.test(one.at(-1) ?? '')) ?? blocks.at(-1);
  const memory = lines.findLast((line) => outOfMemory.test(line));
  if (block) {
    const bounded =
      block.length > tracebackLinesMax
        ? [...block.slice(0, 1), '…', ...block.slice(-tracebackLinesMax + 2)]
        : block;
    return memory !== undefined && !block.includes(memory) ? [memory, ...bounded] : bounded;
  }
  const fatal = lines.filter((line) => looksFatal.test(line.replace(ownPrefix, ''))).slice(-5);
  return memory !== undefined && !fatal.includes(memory) ? [memory, ...fatal] : fatal;
}

/** Each from its head to the line that names the exception, and what is indented below that. */
function tracebacks(lines: readonly string[]): string[][] {
  const blocks: string[][] = [];
  for (let at = 0; at < lines.length; at++) {
    if (!tracebackHead.test(bare(lines[at]))) continue;
    const end = endOfBlock(lines, at);
    blocks.push(lines.slice(at, end));
    at = end - 1;
  }
  return blocks;
}

function endOfBlock(lines: readonly string[], head: number): number {
  let end = head + 1;
  while (end < lines.length && isIndented(lines[end])) end++;
  end++;
  while (end < lines.length && isIndented(lines[end])) end++;
  return end;
}

/** An interpreter that ends mentions by the way what went wrong in destructors. */
function withoutIgnored(lines: readonly string[]): string[] {
  const kept: string[] = [];
  for (let at = 0; at < lines.length; at++) {
    const isIgnored = /^Exception ignored in/.test(bare(lines[at]));
    if (!isIgnored) kept.push(lines[at] ?? '');
    else if (tracebackHead.test(bare(lines[at + 1]))) at = endOfBlock(lines, at + 1) - 1;
  }
  return kept;
}

function bare(line: string | undefined): string {
  return (line ?? '').replace(ownPrefix, '').replace(/^\s+/, '');
}

function isIndented(line: string | undefined): boolean {
  return /^\s/.test((line ?? '').replace(/^\[[a-z_]*\d+\]: ?/i, ''));
}
