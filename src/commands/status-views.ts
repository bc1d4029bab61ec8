import type { Edge, Terminal } from './edge.ts';
import { Screen } from './screen.ts';
import { changeLines } from './status-changes.ts';
import { frame, type Seen } from './status-frame.ts';
import { paintFor } from './styled.ts';

/** Where `status --watch` shows what it sees. */
export interface View {
  show(seen: Seen, nowMs: number): void;
  /** Idempotent; also when the process ends by a mistake. */
  end(): void;
}

/** For people: drawn over in place, again when the window changes. */
export function liveView(edge: Edge, terminal: Terminal): View {
  const screen = new Screen(edge.stdout);
  const paint = paintFor(edge);
  let last: { seen: Seen; nowMs: number } | undefined;
  const draw = () => {
    if (last) screen.draw(frame(last.seen, last.nowMs, terminal.size()).map(paint));
  };
  const stopListening = [
    terminal.onChange(() => {
      screen.forget();
      draw();
    }),
    terminal.onExit(() => screen.leave()),
  ];
  return {
    show: (seen, nowMs) => {
      last = { seen, nowMs };
      draw();
    },
    end: () => {
      for (const stop of stopListening) stop();
      screen.leave();
    },
  };
}

/** For a file or a pipe: what is different, when it is. */
export function lineView(edge: Edge): View {
  let told = new Set<string>();
  return {
    show: (seen, nowMs) => {
      const { lines, now } = changeLines(seen, told, nowMs);
      told = now;
      for (const line of lines) edge.stdout(`${line}\n`);
    },
    end: () => undefined,
  };
}

/** Ages grow and rates waver: neither is news. */
const volatile: readonly string[] = ['forMs', 'sinceMs', 'bytesPerSecond'];

/** For a program: a document a line, when anything but ages and rates is different. */
export function jsonView(edge: Edge): View {
  let told: string | undefined;
  return {
    show: ({ status, problem }) => {
      const document = problem === undefined ? status : { version: 1, running: false, problem };
      const key = JSON.stringify(document, (name, value: unknown) =>
        volatile.includes(name) ? undefined : value,
      );
      if (key === told) return;
      told = key;
      edge.stdout(`${JSON.stringify(document)}\n`);
    },
    end: () => undefined,
  };
}
