import { fileSourceContract } from '../contracts/file-source.ts';
import { realFolder } from '../support/real-folder.ts';

fileSourceContract('real folder', () => realFolder());
