/**
 * Secrets in command lines that no name announces: which argument is one, only its program tells. As typed, as lists are
 * printed (`'mysql', '-px'`), and item by item. Each pattern looks ahead of its program by a bounded number of characters.
 */
const redacted = '[redacted]';

const before = String.raw`(?<![\w.-])`;
const between = String.raw`(?=[\s"'])[^\n]{0,200}?[\s"']`;
/** To the end of the argument; `', '` between two items of a list is none. */
const argument = String.raw`(?:'(?![,\]])[^'\n]+'|"(?![,\]])[^"\n]+"|[^\s"'][^\s"';|&]*)`;
const nextArgument = String.raw`(?:["'],[ \t]{0,4}["']|[ \t=]{1,4}(?!-))`;

const mysql = 'mysql(?:dump|admin|import|show|check|slap|binlog|sh|pump)?|mariadb(?:-[a-z]{1,12})?|mycli';
const mongo = 'mongo(?:sh|dump|restore|export|import|stat|top|files)?';
const registries = '(?:docker|podman|nerdctl|buildah|skopeo|oras|helm registry|az acr|az) login';

const shapes: readonly RegExp[] = [
  // `-p` alone asks, and `-P` is the port. `docker run --name mysql -p3306:3306` is one, too.
  shape(`${mysql}`, String.raw`-p(?!thread\b|[\d.:]{0,40}:\d)`, argument),
  shape(mongo, `-p${nextArgument}`, argument),
  shape('redis-cli', `-a${nextArgument}`, argument),
  shape('(?:un)?zip', `-P${nextArgument}`, argument),
  shape(registries, String.raw`-p[ \t=]{0,4}`, argument),
  shape(
    '(?:curl|xh|https?)',
    String.raw`(?:-u|--user|-a|--auth)[ \t=]{0,4}["']?[^\s:"'@/]{1,64}:`,
    String.raw`[^\s"']+`,
  ),
  shape('lftp', String.raw`-u[ \t]{0,4}["']?[^\s,"']{1,64},`, String.raw`[^\s"']+`),
  // Of MinIO's client: where it is, and then both keys.
  shape(
    'mc',
    String.raw`(?:alias set|config host add) [^\s]{1,100} [^\s]{1,200} `,
    String.raw`(?!\[redacted\])[^\s]+ [^\s]+`,
  ),
];

const programs = new RegExp(
  `^(?:[^\\s]{0,200}/)?(?:${mysql}|${mongo}|redis-cli|(?:un)?zip|docker|podman|nerdctl|buildah|skopeo|oras|helm|az|curl|xh|https?|lftp|mc)$`,
);

function shape(program: string, option: string, value: string): RegExp {
  return new RegExp(`(${before}(?:${program})${between}${option})${value}`, 'g');
}

export function redactCommands(text: string): string {
  let clean = text;
  for (const pattern of shapes) clean = clean.replace(pattern, `$1${redacted}`);
  return clean;
}

/** Longer lists are no command lines. */
const itemsMax = 1_000;
/** How many arguments in front of one are looked at. */
const argumentsMax = 12;

/** The arguments of a program of which one may be a secret. */
export function isSuchCommand(items: readonly unknown[]): boolean {
  return items.length <= itemsMax && items.some((item) => typeof item === 'string' && programs.test(item));
}

/** `items`: those in front of it, with their secrets gone. */
export function isSecretOfCommand(items: readonly unknown[], item: string): boolean {
  const words = items.slice(-argumentsMax).filter((word) => typeof word === 'string' && word.length <= 200);
  const line = [...words, item].join(' ');
  return item !== redacted && item.length <= 1_000 && redactCommands(line) !== line;
}
