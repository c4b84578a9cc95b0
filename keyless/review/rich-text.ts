import { describeRef, describeSubject, isAnyRef, parseRef } from "../trust/circleci";

/** A text in which everything that comes from a plan is marked as code, so that each renderer can quote it. */
export type RichText = readonly (string | { readonly code: string })[];

/** A template literal: a placeholder that is a string becomes code, one that is rich text is inserted unchanged. */
export function richText(texts: TemplateStringsArray, ...values: readonly (string | RichText)[]): RichText {
  return texts.flatMap((text, index) => {
    const value = values[index] ?? [];
    return [...(text === "" ? [] : [text]), ...(typeof value === "string" ? [{ code: value }] : value)];
  });
}

/** Joins texts with a separator. */
export function join(parts: readonly RichText[], separator: string): RichText {
  return parts.flatMap((part, index) => (index === 0 ? part : [separator, ...part]));
}

/** Renders a text. Default for code: as it is. */
export function renderRichText(text: RichText, code = (part: string) => part): string {
  return text.map((part) => (typeof part === "string" ? part : code(part.code))).join("");
}

/** Describes the jobs whose tokens match a subject pattern. */
export function describeJobs(pattern: string): RichText {
  const scope = describeSubject(pattern);
  if ("project" in scope) {
    const project = richText`project ${scope.project} (organization ${scope.organization})`;
    const user = scope.user === undefined ? [] : richText` by user ${scope.user}`;
    switch (scope.kind) {
      case "project":
        return richText`every branch, tag and trigger of ${project}`;
      case "v1":
        return richText`every V1 token of ${project}${user}`;
      case "ref": {
        const forgeable = scope.forgeable ? [", which other refs can forge"] : [];
        return richText`${describeRefs(scope.ref)} of ${scope.repository} in ${project}${user}${forgeable}`;
      }
    }
  }
  switch (scope.kind) {
    case "any":
      return ["every subject of the issuer"];
    case "literal":
      return richText`exactly the subject ${scope.subject}; wildcards are literal`;
    case "organization":
      return richText`every project, branch and trigger of organization ${scope.organization}`;
    default:
      return richText`subject ${pattern}`;
  }
}

function describeRefs(pattern: string): RichText {
  if (isAnyRef(pattern)) return ["any branch or tag"];
  const ref = parseRef(pattern);
  return ref === undefined ? richText`ref ${pattern}` : richText`${describeRef(ref)}`;
}

/** Describes a principal of a policy; for `Federated`, the id is the issuer. */
export function describePrincipal(kind: string, id: string): RichText {
  const account = /^arn:[\w-]+:iam::(\d{12}):root$/.exec(id)?.[1];
  if (kind === "AWS" && id === "*") return ["every AWS principal, in any account"];
  if (account) return richText`principals of account ${account} that its policies allow`;
  if (kind === "Service") return richText`the AWS service ${id}`;
  return kind === "Federated" ? richText`the tokens of ${id}` : richText`${[kind]} principal ${id}`;
}
