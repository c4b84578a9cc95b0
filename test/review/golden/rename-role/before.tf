# The role circleci-plan may read each role of the configuration, which its policy lists by name.

locals {
  issuer = "oidc.circleci.com/org/11111111-2222-4333-8444-555555555555"
}

resource "aws_iam_role" "reader" {
  name = "circleci-reader"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRoleWithWebIdentity"
      Principal = { Federated = "arn:aws:iam::123456789012:oidc-provider/${local.issuer}" }
      Condition = {
        StringEquals = { "${local.issuer}:aud" = "11111111-2222-4333-8444-555555555555" }
        StringLike   = { "${local.issuer}:sub" = "org/11111111-2222-4333-8444-555555555555/project/66666666-7777-4888-9999-000000000000/user/*" }
      }
    }]
  })
}

resource "aws_iam_role_policy_attachment" "reader" {
  role       = aws_iam_role.reader.name
  policy_arn = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"
}

resource "aws_iam_role" "plan" {
  name = "circleci-plan"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { AWS = "arn:aws:iam::123456789012:root" } }]
  })
}

resource "aws_iam_role_policy" "plan" {
  name = "plan"
  role = aws_iam_role.plan.name
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = ["iam:GetRole", "iam:ListRolePolicies"]
      Resource = ["arn:aws:iam::123456789012:role/circleci-plan", "arn:aws:iam::123456789012:role/circleci-reader"]
    }]
  })
}
