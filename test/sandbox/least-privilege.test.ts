import { leastPrivilegePolicy } from "../../keyless/sandbox/least-privilege";

describe("the least-privilege policy", () => {
  it("has one statement for the actions on the same resources, without duplicates", () => {
    const recorded = [
      { action: "s3:PutObject", resource: "arn:aws:s3:::b/k" },
      { action: "s3:GetObject", resource: "arn:aws:s3:::b/k" },
      { action: "s3:GetObject", resource: "arn:aws:s3:::b/k" },
      { action: "s3:ListBucket", resource: "arn:aws:s3:::b" },
    ];
    expect(leastPrivilegePolicy(recorded)).toEqual({
      Version: "2012-10-17",
      Statement: [
        { Effect: "Allow", Action: ["s3:GetObject", "s3:PutObject"], Resource: ["arn:aws:s3:::b/k"] },
        { Effect: "Allow", Action: ["s3:ListBucket"], Resource: ["arn:aws:s3:::b"] },
      ],
    });
  });

  it("does not grant an action on the resources of another action", () => {
    const recorded = [
      { action: "s3:GetObject", resource: "arn:aws:s3:::b/1" },
      { action: "s3:GetObject", resource: "arn:aws:s3:::b/2" },
      { action: "s3:DeleteObject", resource: "arn:aws:s3:::b/2" },
    ];
    expect(leastPrivilegePolicy(recorded).Statement).toEqual([
      { Effect: "Allow", Action: ["s3:DeleteObject"], Resource: ["arn:aws:s3:::b/2"] },
      { Effect: "Allow", Action: ["s3:GetObject"], Resource: ["arn:aws:s3:::b/1", "arn:aws:s3:::b/2"] },
    ]);
  });
});
