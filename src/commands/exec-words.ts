/** What `exec` tells the process that ships for it, a line each on its standard input. Its end says `over`, too. */
export const words = {
  /** The command has ended, and all is written. */
  over: 'over',
  /** What is not there yet is to be left to the next start; the second time, at once. */
  leave: 'leave',
} as const;

/** The exit code by which that process says that another one has the state directory. */
export const heldCode = 73;

/** How long the end of a session is shipped at most, as long as `drain` takes. */
export const shippingMs = 300_000;
