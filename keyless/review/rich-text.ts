/** A sentence in which whatever comes from a plan stands apart, so that every renderer can quote it in its own way. */
export type Words = readonly (string | { readonly code: string })[];

/**
 * A template literal whose placeholders are quotations; a placeholder that is itself `Words` is taken over as it is.
 */
export function words(texts: TemplateStringsArray, ...quoted: readonly (string | Words)[]): Words {
  return texts.flatMap((text, index) => {
    const quote = quoted[index];
    const parts = quote === undefined ? [] : typeof quote === "string" ? [{ code: quote }] : quote;
    return text === "" ? parts : [text, ...parts];
  });
}

/** Sentences as one, with a separator between them. */
export function join(parts: readonly Words[], separator: string): Words {
  return parts.flatMap((part, index) => (index === 0 ? part : [separator, ...part]));
}

/** The sentence as plain text. */
export function plain(sentence: Words): string {
  return sentence.map((part) => (typeof part === "string" ? part : part.code)).join("");
}

const UUID_SHAPE = "????????-????-????-????-????????????";

/**
 * A subject pattern in words: which jobs of CircleCI it means.
 *
 * @see https://circleci.com/docs/openid-connect-tokens/#format-of-the-openid-connect-id-token
 */
export function subjectInWords(pattern: string): Words {
  if (pattern === "*") return ["every subject of the issuer"];
  if (/\$\{[*?]\}/.test(pattern)) {
    return words`the very subject ${pattern.replace(/\$\{([*?])\}/g, "$1")}, its wildcards taken for characters`;
  }
  const organization = /^org\/([\w-]+)\/(\*|project\/\*)$/.exec(pattern)?.[1];
  if (organization) return words`every project, branch and trigger of organization ${organization}`;
  const [, org, project, rest] = /^org\/([\w-]+)\/project\/([\w-]+)\/(.+)$/s.exec(pattern) ?? [];
  if (org === undefined || project === undefined || rest === undefined) return words`subject ${pattern}`;
  const where = words`project ${project} (organization ${org})`;
  if (rest === "*" || rest === "user/*") return words`every branch, tag and trigger of ${where}`;
  const [, user, origin, ref] = /^user\/([^/]+)\/vcs-origin\/([^*?]+)\/vcs-ref\/(.+)$/s.exec(rest) ?? [];
  if (user !== undefined && origin !== undefined && ref !== undefined) {
    const forgeable = user.includes("*") ? ", and any ref whose name imitates that" : "";
    return words`${refInWords(ref)} of ${origin} in ${where}${[...byUser(user), forgeable]}`;
  }
  const [, onlyUser] = /^user\/([^/*]+)$/.exec(rest) ?? [];
  if (onlyUser !== undefined) return words`every V1 token of ${where}${byUser(onlyUser)}`;
  return words`subject ${pattern}`;
}

function refInWords(ref: string): Words {
  if (ref === "*" || ref === "refs/*") return ["every branch and tag"];
  const [, kind, name] = /^refs\/(heads|tags)\/(.+)$/s.exec(ref) ?? [];
  if (kind === undefined || name === undefined) return words`ref ${ref}`;
  const noun = kind === "heads" ? "branch" : "tag";
  if (name === "*") return [`every ${noun}`];
  return /[*?]/.test(name) ? words`every ${[noun]} like ${name}` : words`${[noun]} ${name}`;
}

function byUser(user: string): Words {
  return user === "*" || user === UUID_SHAPE ? [] : words` by user ${user}`;
}

/** A principal of a policy in words. */
export function principalInWords(principal: string): Words {
  const [kind, id] = split(principal);
  const account = /^arn:[\w-]+:iam::(\d{12}):root$/.exec(id)?.[1];
  if (kind === "AWS" && id === "*") return ["anybody in AWS, in any account"];
  if (account) return words`whomever account ${account} lets`;
  if (kind === "Service") return words`the AWS service ${id}`;
  return kind === "Federated" ? words`the tokens of ${id}` : words`${[kind]} principal ${id}`;
}

/** A principal, `<kind> <id>`, in its two parts. */
export function split(principal: string): [kind: string, id: string] {
  const space = principal.indexOf(" ");
  return [principal.slice(0, space), principal.slice(space + 1)];
}
