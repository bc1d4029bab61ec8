import { walkFolder } from '../../src/doctor/folder-walk.ts';

/** Run as another user by a test: what that one sees of the folder that it names. */
const [folder = ''] = process.argv.slice(2);
const walked = await walkFolder(folder, process.getuid?.() ?? -1, new AbortController().signal);
process.stdout.write(JSON.stringify(walked));
