// Loaded before the program: its wall clock is ahead, by less than a server tolerates in a signature.
const { now } = Date;
Date.now = () => now() + 11 * 60_000;
