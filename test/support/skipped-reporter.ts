import { relative } from 'node:path';
import type { Reporter, TestCase, TestModule } from 'vitest/node';

/** Says at the end what did not run and why, one line per file: a skip that nobody sees is a gap. */
export default class SkippedReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const lines = modules.flatMap((module) => {
      const skipped = [...module.children.allTests('skipped')];
      return skipped.length === 0 ? [] : [describeFile(module, skipped)];
    });
    const absence = process.env['TRAINLOGD_TEST_S3_ABSENT'];
    if (absence) lines.push(`everything that needs S3 was skipped: ${absence}`);
    process.stderr.write(`${lines.length === 0 ? 'every test ran' : lines.join('\n')}\n`);
  }
}

function describeFile(module: TestModule, skipped: readonly TestCase[]): string {
  const first = skipped.slice(0, 3).map((test) => JSON.stringify(test.fullName) + noteOf(test));
  const more = skipped.length > 3 ? ` and ${skipped.length - 3} more` : '';
  return `did not run: ${relative(process.cwd(), module.moduleId)}: ${first.join(', ')}${more}`;
}

/** The reason that the test gave to `skip(reason)`. */
function noteOf(test: TestCase): string {
  const result = test.result();
  return result.state === 'skipped' && result.note ? ` (${result.note})` : '';
}
