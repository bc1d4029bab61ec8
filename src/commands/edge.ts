/** What a command may know of the process that it runs in; main.ts makes it, tests make their own. */
export interface Edge {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly pid: number;
  readonly isRoot: boolean;
  /** A system user may have none. */
  readonly homeDirectory: string | undefined;
  readonly stderrIsTerminal: boolean;
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
  /** Called for each signal that asks to end; returns a function that stops listening. */
  readonly onEndSignal: (listener: (signal: string) => void) => () => void;
  /** Called when the configuration is to be read again; returns a function that stops listening. */
  readonly onReload: (listener: () => void) => () => void;
}

/** Exit codes are part of the contract; the larger ones are those of sysexits.h. */
export const exitCode = {
  ok: 0,
  usage: 64,
  unreachable: 69,
  bug: 70,
  unsent: 75,
  permission: 77,
  configuration: 78,
} as const;
