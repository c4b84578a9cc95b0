import { asArray, type PolicyDocument, policySize, statements } from "../../keyless/policy/document";

describe("a policy document", () => {
  const statement = { Effect: "Allow", Action: "s3:GetObject", Resource: "*" } as const;

  it("has a list of statements or a single one", () => {
    expect(statements({ Statement: statement })).toEqual([statement]);
    expect(statements({ Statement: [statement, statement] })).toHaveLength(2);
  });

  it("is measured without white space between tokens, but with white space in strings", () => {
    const document = JSON.parse('{ "Statement": [ ], "Id": "a b" }') as PolicyDocument;
    expect(policySize(document)).toBe('{"Statement":[],"Id":"a b"}'.length);
  });

  it("can have a single value instead of a list", () => {
    expect([asArray("a"), asArray(["a", "b"]), asArray<string>(undefined)]).toEqual([["a"], ["a", "b"], []]);
  });
});
