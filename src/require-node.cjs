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

// Before 24.15 Node calls its SQLite experimental at every start, which nobody can act on, on the standard
// error that programs read.
const emitWarning = process.emitWarning;
process.emitWarning = function (warning, ...about) {
  const isAboutSqlite = about[0] === 'ExperimentalWarning' && String(warning).startsWith('SQLite ');
  if (!isAboutSqlite) emitWarning.call(this, warning, ...about);
};
