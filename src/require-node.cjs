// Preloaded before any TypeScript: an old Node could only answer with a syntax
// error. npm scripts run on the Node that the project brings (optionalDependencies),
// so this speaks only where none fits, macOS for one, and the machine's own is too old.
'use strict';
const wanted = 24;
const found = process.versions.node;
if (Number.parseInt(found, 10) < wanted) {
  process.stderr.write(
    `trainlogd needs Node ${wanted} or newer, this is Node ${found}: install one, or use Linux on x64 or arm64, where npm brings it along\n`,
  );
  process.exit(78);
}
