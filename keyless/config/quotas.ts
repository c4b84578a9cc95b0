/** IAM quotas that AWS does not raise. See https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html */
export const FIXED_QUOTAS = { inlinePolicies: 10_240, managedPolicy: 6144, audiences: 100, thumbprints: 5, tags: 50 };

/** The adjustable IAM quotas of a new account: the defaults of `environments.<name>.quotas`. */
export const DEFAULT_QUOTAS = { trustPolicySize: 2048, managedPoliciesPerRole: 10, rolesPerAccount: 1000 };

/** The maximum to which AWS raises each adjustable quota on request. */
export const MAX_QUOTAS = { trustPolicySize: 4096, managedPoliciesPerRole: 20, rolesPerAccount: 5000 };
