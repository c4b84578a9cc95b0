# The provider accepts one more audience.

resource "aws_iam_openid_connect_provider" "this" {
  url            = "https://oidc.circleci.com/org/11111111-2222-4333-8444-555555555555"
  client_id_list = ["11111111-2222-4333-8444-555555555555", "sts.amazonaws.com"]
}
