// Preloaded before any TypeScript: an old Node could only answer with a syntax
// error. npm scripts run on the Node that the project brings (optionalDependencies),
// so this speaks only where none fits, macOS for one, and the machine's own is too old.
'use strict';
const wanted = 24;
const found = process.versions.node;
if (Number.parseInt(found, 10) < wanted) {
  process.stderr.write(
    `trainlogd needs Node ${wanted} or newer, this is Node ${found}: install one; a checkout on Linux (x64, arm64) brings it along by npm ci\n`,
  );
  process.exit(78);
}

// Node calls experimental what this program is tested with, at every start and on the standard error that others read:
// its SQLite before 24.15, its foreign functions from 26.1 on. Not by --disable-warning: a Node that does not know the option
// would say so, in place of the sentence above.
const emitWarning = process.emitWarning;
process.emitWarning = function (warning, ...about) {
  const isKnown = about[0] === 'ExperimentalWarning' && /^(SQLite|FFI) /.test(warning);
  if (!isKnown) emitWarning.call(this, warning, ...about);
};
