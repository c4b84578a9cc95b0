import { asArray, type PolicyDocument, statements } from "../../keyless/policy/document";
import { policySize } from "../../keyless/policy/size";

describe("a policy document", () => {
  const statement = { Effect: "Allow", Action: "s3:GetObject", Resource: "*" } as const;

  it("gives its statements, with brackets or without", () => {
    expect(statements({ Statement: statement })).toEqual([statement]);
    expect(statements({ Statement: [statement, statement] })).toHaveLength(2);
  });

  it("is measured without the white space between tokens, and with that inside strings", () => {
    const document = JSON.parse('{ "Statement": [ ], "Id": "a b" }') as PolicyDocument;
    expect(policySize(document)).toBe('{"Statement":[],"Id":"a b"}'.length);
  });

  it("may have one value where a list is allowed", () => {
    expect([asArray("a"), asArray(["a", "b"]), asArray<string>(undefined)]).toEqual([["a"], ["a", "b"], []]);
  });
});
