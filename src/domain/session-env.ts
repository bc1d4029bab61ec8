/**
 * Where a training container leaves the variables of its environment. It may hold anything, so that it is never shipped,
 * wherever in the session it lies and whatever the configuration includes.
 */
export const sessionEnvName = 'session.env';
