export { within } from '../services/within.ts';
