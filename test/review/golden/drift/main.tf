# Terraform restores the trust policy.

resource "aws_iam_role" "this" {
  name = "circleci-publisher"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRoleWithWebIdentity"
      Principal = { Federated = "arn:aws:iam::123456789012:oidc-provider/oidc.circleci.com/org/11111111-2222-4333-8444-555555555555" }
      Condition = {
        StringEquals = { "oidc.circleci.com/org/11111111-2222-4333-8444-555555555555:aud" = "11111111-2222-4333-8444-555555555555" }
        StringLike   = { "oidc.circleci.com/org/11111111-2222-4333-8444-555555555555:sub" = "org/11111111-2222-4333-8444-555555555555/project/66666666-7777-4888-9999-000000000000/user/????????-????-????-????-????????????/vcs-origin/github.com/acme/site/vcs-ref/refs/heads/main" }
      }
    }]
  })
}
