import type { Ending } from '../reader.ts';

/** Lines by which programs, launchers and schedulers tell that a training has ended: what each one says. */

export interface LineEvidence {
  readonly status: Exclude<Ending['status'], 'completed'>;
  /** Written by whoever ended the training, or saw it end. Otherwise the program may have gone on. */
  readonly isCertain: boolean;
  /** The process was told to stop: whoever told it knows better why. */
  readonly isConsequence: boolean;
}

export const tracebackStart = 'Traceback (most recent call last):';

/** Ranks and launchers put their name before each line: `[rank0]: `, `[1,0]<stderr>:`, `0: `, `(Trainer pid=7) `. */
const linePrefix =
  /^(?:\[[\w.:,/-]{1,64}\](?:<std(?:out|err)>)?:? ?|\d{1,5}: |\([\w.-]{1,64} pid=\d{1,10}\) )/;

export function withoutPrefix(line: string): string {
  return line.replace(linePrefix, '');
}

/** What follows was caught by someone who went on. */
export function tellsOfCaught(line: string): boolean {
  return /^(?:--- Logging error ---|Exception ignored (?:in|while)|Exception in (?:thread|callback)|Error in atexit|Error in sys\.excepthook)/.test(
    line,
  );
}

export function joinsTracebacks(line: string): boolean {
  return /^(?:During handling of the above exception|The above exception was the direct cause)/.test(line);
}

/** The last line of a traceback. */
export function looksLikeException(line: string): boolean {
  return /^[A-Za-z_][\w.]{0,128}(?:Error|Exception|Interrupt|Exit|Failure|Timeout|Warning)(?::|$)/.test(line);
}

export function exceptionEvidence(line: string): LineEvidence {
  if (/^KeyboardInterrupt\b/.test(line)) return said('cancelled', { isConsequence: true });
  const signal = /SignalException.{0,80}got signal: (\d{1,2})\b/.exec(line)?.[1];
  if (signal !== undefined)
    return said(signal === '2' ? 'cancelled' : 'interrupted', { isConsequence: true });
  if (/killed by signal: (?:Terminated|Interrupt|Hangup)/.test(line)) {
    return said('interrupted', { isConsequence: true });
  }
  return said('failed', {});
}

const outOfMemory =
  /(?:OutOfMemoryError|RuntimeError|AcceleratorError): (?:CUDA|HIP)(?: error:)? out of memory/i;
const slurmCancelled =
  /\*\*\* (?:JOB|STEP) \S{1,80} (?:ON \S{1,200} )?CANCELLED AT \S{1,40}(?: DUE TO ([^*]{1,120}))? \*\*\*/i;
const slurmOutOfMemory = /^slurmstepd: error: Detected \d{1,6} oom[-_ ]kill event/i;
const srunEnded = /^srun: error: .{1,200}: tasks? [\d,\-[\]]{1,64}: (.{1,100})$/;
const shellSaw = /: line \d{1,7}: +\d{1,10} (Killed|Segmentation fault|Aborted|Bus error|Terminated)\b/;

export const rootCause = 'Root Cause (first observed failure):';

/** What a single line says by itself. */
export function lineEvidence(line: string): LineEvidence | undefined {
  const cancelled = slurmCancelled.exec(line);
  if (cancelled !== null) return slurmEvidence(cancelled[1]);
  if (slurmOutOfMemory.test(line)) return said('failed', { isCertain: true });
  const srun = srunEnded.exec(line)?.[1];
  if (srun !== undefined) return srunEvidence(srun);
  const shell = shellSaw.exec(line)?.[1];
  if (shell !== undefined)
    return said(shell === 'Terminated' ? 'interrupted' : 'failed', { isCertain: true });
  if (line.startsWith(rootCause)) return said('failed', { isCertain: true });
  if (outOfMemory.test(line)) return said('failed', {});
  return undefined;
}

/** Without a reason, or by a signal, it was somebody's `scancel`; the others come from the scheduler and the machine. */
function slurmEvidence(reason = 'SIGNAL'): LineEvidence {
  const status = /^SIGNAL/i.test(reason) ? 'cancelled' : 'interrupted';
  return said(status, { isCertain: true });
}

/** 128 + 2 and 128 + 15: the signals of Ctrl-C and of `scancel`. */
function srunEvidence(told: string): LineEvidence | undefined {
  const code = /^Exited with exit code (\d{1,3})\b/.exec(told)?.[1];
  if (code === '130') return said('cancelled', { isCertain: true, isConsequence: true });
  if (code === '143' || told.startsWith('Terminated')) {
    return said('interrupted', { isCertain: true, isConsequence: true });
  }
  if (code !== undefined && code !== '0') return said('failed', { isCertain: true });
  if (/^(?:Killed|Segmentation fault|Aborted|Bus error|Out Of Memory)/.test(told)) {
    return said('failed', { isCertain: true });
  }
  return undefined;
}

function said(
  status: LineEvidence['status'],
  { isCertain = false, isConsequence = false }: { isCertain?: boolean; isConsequence?: boolean },
): LineEvidence {
  return { status, isCertain, isConsequence };
}

const noise = [
  /^[\s=\-*_#~.+|^]*$/,
  /^\s/,
  /warning|^sys:1:|^wandb: |NCCL|resource_tracker|destroy_process_group/i,
  // c10's and glog's own lines, also of torchrun's agent.
  /^(?:\[?[EWIF]\d{4} |\[[EWIF] |\[[^\]]{0,40}\] ?torch\.distributed|torch\.distributed|INFO:torch\.distributed)/,
  /^(?:srun|slurmstepd|mpirun|make|conda|scancel): |^ERROR conda|^make\[?\d{0,2}\]?: \*\*\*/,
  /^(?:terminate called|what\(\): |frame #|Exception raised from|Fatal Python error|Aborted|Segmentation fault|Killed|Terminated)/,
  /exit(?:s|ed)? (?:with|code|status)|core dumped|closing signal|exit ?code/i,
  /^(?:CUDA kernel errors might|For debugging consider|Compile with `|Device-side assertion|Search for `cuda|Set the environment variable)/,
  /^(?:Failures?:|\[\d{1,5}\]:|<NO_OTHER_FAILURES>|\S{1,100} FAILED$)/,
];

/** What may follow a failure without the program having gone on. */
export function isNoise(line: string): boolean {
  return noise.some((pattern) => pattern.test(line));
}
