import { describeSubject, isAnyRef, parseRef } from "../trust/circleci";

/** A sentence in which whatever comes from a plan stands apart, so that every renderer can quote it in its own way. */
export type RichText = readonly (string | { readonly code: string })[];

/**
 * A template literal whose placeholders are quotations; a placeholder that is itself `RichText` is taken over as it is.
 */
export function richText(texts: TemplateStringsArray, ...quoted: readonly (string | RichText)[]): RichText {
  return texts.flatMap((text, index) => {
    const quote = quoted[index];
    const parts = quote === undefined ? [] : typeof quote === "string" ? [{ code: quote }] : quote;
    return text === "" ? parts : [text, ...parts];
  });
}

/** Sentences as one, with a separator between them. */
export function join(parts: readonly RichText[], separator: string): RichText {
  return parts.flatMap((part, index) => (index === 0 ? part : [separator, ...part]));
}

/** The sentence as plain text. */
export function plainText(sentence: RichText): string {
  return sentence.map((part) => (typeof part === "string" ? part : part.code)).join("");
}

/**
 * A subject pattern in words: which jobs of CircleCI it means.
 *
 * @see https://circleci.com/docs/openid-connect-tokens/#format-of-the-openid-connect-id-token
 */
export function subjectInWords(pattern: string): RichText {
  const scope = describeSubject(pattern);
  switch (scope.kind) {
    case "any":
      return ["every subject of the issuer"];
    case "literal":
      return richText`exactly the subject ${scope.subject}; wildcards are literal`;
    case "organization":
      return richText`every project, branch and trigger of organization ${scope.organization}`;
    case "project":
      return richText`every branch, tag and trigger of ${projectInWords(scope)}`;
    case "v1":
      return richText`every V1 token of ${projectInWords(scope)}${byUser(scope.user)}`;
    case "ref": {
      const forgeable = scope.forgeable ? ", and any ref whose name imitates that" : "";
      const where = richText`${scope.repository} in ${projectInWords(scope)}`;
      return richText`${refInWords(scope.ref)} of ${where}${[...byUser(scope.user), forgeable]}`;
    }
    default:
      return richText`subject ${pattern}`;
  }
}

function projectInWords({ project, organization }: { project: string; organization: string }): RichText {
  return richText`project ${project} (organization ${organization})`;
}

function refInWords(pattern: string): RichText {
  if (isAnyRef(pattern)) return ["every branch and tag"];
  const ref = parseRef(pattern);
  if (ref === undefined) return richText`ref ${pattern}`;
  const { kind, name } = ref;
  if (name === "*") return [`every ${kind}`];
  return /[*?]/.test(name) ? richText`every ${[kind]} like ${name}` : richText`${[kind]} ${name}`;
}

function byUser(user?: string): RichText {
  return user === undefined ? [] : richText` by user ${user}`;
}

/** A principal of a policy in words. */
export function principalInWords(principal: string): RichText {
  const [kind, id] = split(principal);
  const account = /^arn:[\w-]+:iam::(\d{12}):root$/.exec(id)?.[1];
  if (kind === "AWS" && id === "*") return ["anybody in AWS, in any account"];
  if (account) return richText`whomever account ${account} lets`;
  if (kind === "Service") return richText`the AWS service ${id}`;
  return kind === "Federated" ? richText`the tokens of ${id}` : richText`${[kind]} principal ${id}`;
}

/** A principal, `<kind> <id>`, in its two parts. */
export function split(principal: string): [kind: string, id: string] {
  const space = principal.indexOf(" ");
  return [principal.slice(0, space), principal.slice(space + 1)];
}
