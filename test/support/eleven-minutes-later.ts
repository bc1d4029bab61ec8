// Loaded before the program: its wall clock is ahead, and so is the server's, as far as the program can tell from the
// `Date` of its answers. What the server says of its objects stays as it is: they look eleven minutes older.
const aheadMs = 11 * 60_000;
const { now, parse } = Date;
Date.now = () => now() + aheadMs;
Date.parse = (text) => parse(text) + (/^[A-Z][a-z]{2}, .* GMT$/.test(text) ? aheadMs : 0);
