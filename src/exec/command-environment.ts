export type Environment = Readonly<Record<string, string | undefined>>;

const ofSockets = ['LISTEN_PID', 'LISTEN_FDS', 'LISTEN_FDNAMES'];
const ofSupervision = ['NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID'];

/**
 * What a command gets of the environment of a unit of systemd that runs it through us. The unit is the command's: it says
 * READY=1 and WATCHDOG=1 itself, as without us. But a variable that names our process as the one that is meant would have
 * it keep silent, sd_watchdog_enabled(3); and sockets that systemd passed to us are closed in what Node starts.
 */
export function commandEnvironment(env: Environment, ownPid: number): Environment {
  const isOurs = (name: string) => env[name] === String(ownPid);
  const names = [
    ...(isOurs('WATCHDOG_PID') ? ['WATCHDOG_PID'] : []),
    ...(isOurs('LISTEN_PID') ? ofSockets : []),
  ];
  return without(env, names);
}

/** What ships beside the command speaks for no unit. */
export function shippingEnvironment(env: Environment): Environment {
  return without(env, [...ofSupervision, ...ofSockets]);
}

function without(env: Environment, names: readonly string[]): Environment {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !names.includes(name)));
}
