import type { ConditionElement, PolicyDocument, Statement } from "../policy/document";

/** A statement that allows actions on resources. `Sid` describes its purpose. */
export function allow(
  Sid: string,
  Action: readonly string[],
  Resource: readonly string[],
  Condition?: ConditionElement,
): Statement {
  return { Sid, Effect: "Allow", Action, Resource, ...(Condition !== undefined && { Condition }) };
}

/** The statements of a list that are present. A statement that a scope does not require is `false`. */
export function compact(statements: readonly (Statement | false)[]): Statement[] {
  return statements.filter((statement) => statement !== false);
}

/** A policy document of these statements. */
export function policy(statements: readonly (Statement | false)[]): PolicyDocument {
  return { Version: "2012-10-17", Statement: compact(statements) };
}
