import { systemText } from './access.ts';

export interface Mount {
  /** Where it is mounted. */
  readonly at: string;
  readonly type: string;
  /** The directory of the file system that is mounted there: of a volume of Kubernetes, its path on the node. */
  readonly root: string;
}

/** The mount that a path lies on, by proc_pid_mountinfo(5); undefined where that is not known. */
export async function mountOf(proc: string, path: string): Promise<Mount | undefined> {
  const text = (await systemText(`${proc}/self/mountinfo`)) ?? '';
  const mounts = text.split('\n').flatMap(parse);
  const above = mounts.filter(({ at }) => at === '/' || path === at || path.startsWith(`${at}/`));
  // Of two at one place, the later one covers the other.
  return above.reduce<Mount | undefined>(
    (best, one) => (best && best.at.length > one.at.length ? best : one),
    undefined,
  );
}

/** A volume of Kubernetes that goes with its pod. One in memory (medium: Memory) is a file system of its own. */
export function isEmptyDir({ root, type, at }: Mount): boolean {
  return root.includes('/kubernetes.io~empty-dir/') || (type === 'tmpfs' && at !== '/');
}

/** `ID PARENT DEVICE ROOT MOUNTPOINT OPTIONS… - TYPE SOURCE SUPER-OPTIONS` */
function parse(line: string): Mount[] {
  const [before, after] = line.split(' - ');
  const [, , , root, at] = before?.split(' ') ?? [];
  const type = after?.split(' ')[0];
  if (root === undefined || at === undefined || type === undefined) return [];
  return [{ at: unescaped(at), type, root: unescaped(root) }];
}

function unescaped(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}
