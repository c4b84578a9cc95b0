# The trust policy is unknown until the provider exists: it is read from the arguments of the data source.

resource "aws_iam_openid_connect_provider" "this" {
  url            = "https://oidc.circleci.com/org/11111111-2222-4333-8444-555555555555"
  client_id_list = ["11111111-2222-4333-8444-555555555555"]
}

data "aws_iam_policy_document" "trust" {
  statement {
    actions = ["sts:AssumeRoleWithWebIdentity"]
    principals {
      type        = "Federated"
      identifiers = [aws_iam_openid_connect_provider.this.arn]
    }
    condition {
      test     = "StringLike"
      variable = "oidc.circleci.com/org/11111111-2222-4333-8444-555555555555:sub"
      values   = ["org/11111111-2222-4333-8444-555555555555/project/66666666-7777-4888-9999-000000000000/user/*"]
    }
    condition {
      test     = "StringEquals"
      variable = "oidc.circleci.com/org/11111111-2222-4333-8444-555555555555:aud"
      values   = ["11111111-2222-4333-8444-555555555555"]
    }
  }
}

resource "aws_iam_role" "this" {
  # A key with characters that Markdown interprets.
  for_each           = toset(["odd \"key\" @team #12 | `x`"])
  name               = "circleci-reader"
  assume_role_policy = data.aws_iam_policy_document.trust.json
}

resource "aws_iam_role_policy_attachment" "this" {
  for_each   = aws_iam_role.this
  role       = each.value.name
  policy_arn = "arn:aws:iam::aws:policy/AdministratorAccess"
}
