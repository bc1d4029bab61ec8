/**
 * Does a name say that its value is a secret? Decided word by word, so that `hf_token`, `hfToken` and `HF-TOKEN` are the
 * same and `tokenizer`, `max_tokens` or `primary_key` are not meant.
 */

const alwaysSecret = wordSet(
  'secret secrets pwd cookie cookies authorization apikey apikeys privatekey accesskey secretkey authkey masterkey',
);
const alwaysSecretPart =
  /passw(?:or)?d|passphrase|credential|clientsecret|^(?:auth|access|api|hf|hub|session|refresh|bearer|github|gitlab|wandb|id)token$/;

/** Before `key`: a key that opens something. */
const keyOwners = wordSet(
  `api access secret private auth encryption encrypt signing ssh gpg pgp rsa storage account master client shared
   subscription deploy service license app application admin wandb openai anthropic hf huggingface hub aws azure gcp
   google github gitlab comet neptune mlflow clearml runpod vast together groq mistral cohere replicate ngc kaggle session write`,
);
/** Before `tokens`: several secrets, not a number of tokens. */
const tokenOwners = wordSet(
  `api access auth hf hub huggingface refresh bearer security github gitlab wandb bot slack oauth jwt csrf
   secret deploy personal pat id sas ngc aws azure gcp`,
);
/** Before `token`: the token of a text, not of an account. */
const textTokenWords = wordSet(
  `per num n max min eos bos pad unk sep cls mask special stop start end image video audio text first last next new prev
   prompt think thinking tool reserved extra additional avg mean total by each every begin decoder encoder forced single
   sub multi word trigger initializer instance concept class lang language boi eoi eot eom boa eoa task separator
   delimiter newline space blank dummy fake negative positive target source vision latent register query input output placeholder fim`,
);
/** Before `pw`: a weight of positive examples (`cls_pw`, `obj_pw`, `bce_pw` of YOLO). */
const weights = /^(?:cls|obj|box|bce|dfl|kpt|kobj|pose|seg|theta|angle|focal|fl)$/;

/** After the telling word: about the secret, not the secret. */
const aboutSecret = wordSet(
  `file files path paths dir name names env var variable url uri endpoint count counts type types ids limit length len size
   expires expiry expiration expired ttl in at policy required enabled provider mode status index class embedding
   embeddings dim rate usage budget accuracy loss per manager helper rotation version format`,
);
/** After `token` or `key`: the secret itself. */
const secretItself = wordSet('value string str raw data content base64 b64 pem json secret');

export function isSensitiveKey(name: string): boolean {
  const words = wordsOf(name);
  return words.some((word, at) => isTelling(words, word, at) && !isAbout(words, at));
}

function isTelling(words: readonly string[], word: string, at: number): boolean {
  const before = words[at - 1] ?? '';
  const last = at === words.length - 1;
  const whole = words.length === 1;
  if (alwaysSecret.has(word) || alwaysSecretPart.test(word)) return true;
  switch (word) {
    case 'token':
      if (words.slice(0, at).some((earlier) => textTokenWords.has(earlier))) return false;
      return last || tokenOwners.has(before) || secretItself.has(words[at + 1] ?? '');
    case 'tokens':
      return tokenOwners.has(before);
    case 'key':
    case 'keys':
      return keyOwners.has(before);
    case 'string':
      return before === 'connection';
    case 'signature':
      return before === 'amz' || before === 'access';
    case 'auth':
      return whole || /^(?:basic|http|hf|hub|wandb)$/.test(before);
    case 'pw':
      return last && !weights.test(before);
    case 'pass':
      return (
        whole ||
        /^(?:user|db|database|smtp|mail|admin|root|ssh|sudo|proxy|redis|mysql|postgres|pg)$/.test(before)
      );
    default:
      return false;
  }
}

function isAbout(words: readonly string[], at: number): boolean {
  if (words[at] === 'key' && words[at - 1] === 'access' && words[at + 1] === 'id') return false;
  return words.slice(at + 1).some((later) => aboutSecret.has(later));
}

/** `hfToken`, `HFToken`, `hf_token2`, `hf-token`, `hf.token` -> hf, token. */
function wordsOf(name: string): readonly string[] {
  const separated = name
    .slice(-200)
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replace(/([A-Z])([A-Z][a-z])/g, '$1 $2');
  const words = separated.toLowerCase().split(/[^a-z0-9]+/);
  return words
    .map((word) => word.replace(/(?<=[a-z])\d{1,4}$/, ''))
    .filter((word) => word !== '' && !/^\d+$/.test(word));
}

function wordSet(words: string): ReadonlySet<string> {
  return new Set(words.trim().split(/\s+/));
}
