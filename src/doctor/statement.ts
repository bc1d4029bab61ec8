/** What doctor prints is what `trainlogd iam policy` prints. */
export { type Action, statementFor as statement } from '../bucket/policy.ts';
