import { systemClock } from '../adapters/system-time.ts';
import { type Edge, exitCode } from './edge.ts';
import { StatusLook } from './status-look.ts';
import { jsonView, lineView, liveView, type View } from './status-views.ts';
import type { Located } from './status-without-agent.ts';

const everyMs = 1000;

/** `trainlogd status --watch`: until a signal, or until nobody reads it any more. */
export async function watchStatus(edge: Edge, loaded: Located, json: boolean): Promise<number> {
  const over = new AbortController();
  const end = () => over.abort();
  const stopListening = [edge.onEndSignal(end), edge.onStdoutGone?.(end)];
  const ended = new Promise<undefined>((resolve) => {
    over.signal.addEventListener('abort', () => resolve(undefined), { once: true });
  });
  const view = viewFor(edge, json);
  const looking = new StatusLook(loaded);
  try {
    while (!over.signal.aborted) {
      // Who asks an agent that does not answer must not keep the terminal for so long.
      const seen = await Promise.race([looking.look(), ended]);
      if (seen) view.show(seen, systemClock.nowMs());
      await systemClock.sleep(everyMs, over.signal);
    }
    return exitCode.ok;
  } finally {
    view.end();
    for (const stop of stopListening) stop?.();
  }
}

function viewFor(edge: Edge, json: boolean): View {
  if (json) return jsonView(edge);
  // A terminal that says that it can do nothing is believed.
  return edge.terminal && edge.env['TERM'] !== 'dumb' ? liveView(edge, edge.terminal) : lineView(edge);
}
