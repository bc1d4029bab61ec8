/** What a command may know of the process that it runs in; main.ts makes it, tests make their own. */
export interface Edge {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly pid: number;
  readonly isRoot: boolean;
  /** A system user may have none. */
  readonly homeDirectory: string | undefined;
  readonly stderrIsTerminal: boolean;
  /** How wide it is, where it is one. */
  readonly stderrColumns?: () => number;
  /** Standard output, where it is a terminal. */
  readonly terminal?: Terminal;
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
  /** Called when nobody reads standard output any more; returns a function that stops listening. */
  readonly onStdoutGone?: (listener: () => void) => () => void;
  /** Called for each signal that asks to end; returns a function that stops listening. */
  readonly onEndSignal: (listener: (signal: string) => void) => () => void;
  /** Called when the configuration is to be read again; returns a function that stops listening. */
  readonly onReload: (listener: () => void) => () => void;
  /** Absent where a test plays the process. */
  readonly own?: OwnProcess;
}

/** What a live view needs of the terminal that it is drawn on. */
export interface Terminal {
  readonly size: () => { readonly columns: number; readonly rows: number };
  /** Called when it has another size, and when the program goes on after it was stopped: all is to be drawn anew. */
  readonly onChange: (listener: () => void) => () => void;
  /** Called when the process ends, however it does: the last moment to give the terminal back as it was. */
  readonly onExit: (listener: () => void) => () => void;
}

/** What only a program that has the process to itself may do: `exec`, and what ships beside it. */
export interface OwnProcess {
  readonly pid: number;
  /** What runs this program once more, before its arguments. */
  readonly self: readonly [string, ...string[]];
  /** Ends the process though a thread of it waits in the system for good. */
  readonly leave: (code: number) => void;
  readonly onSignal: (signal: NodeJS.Signals, listener: () => void) => () => void;
  /** Ends the process by the signal itself. Returns only where the system does not let it, as for process 1. */
  readonly dieBy: (signal: NodeJS.Signals) => void;
  /** Called for each line of standard input, and without one at its end. The function that it returns lets go of it. */
  readonly onInput: (listener: (line: string | undefined) => void) => () => void;
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
