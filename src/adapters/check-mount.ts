/** What to do about a path that does not answer. */
export const checkMount =
  'check its mount (mount, dmesg): a network file system whose server is gone makes everything wait';
