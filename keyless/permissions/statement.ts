import type { ConditionElement, PolicyDocument, Statement } from "../policy/document";

/** A statement that allows actions on resources, named so that a reader of the policy sees what it is for. */
export function allow(
  Sid: string,
  Action: readonly string[],
  Resource: readonly string[],
  Condition?: ConditionElement,
): Statement {
  return { Sid, Effect: "Allow", Action, Resource, ...(Condition !== undefined && { Condition }) };
}

/** A policy document of these statements. */
export function policy(statements: readonly Statement[]): PolicyDocument {
  return { Version: "2012-10-17", Statement: statements };
}
