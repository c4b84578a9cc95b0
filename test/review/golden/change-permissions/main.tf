# An action is granted and a managed policy is detached, of a role that administrators manage.

resource "aws_iam_role" "this" {
  name = "circleci-apply"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { AWS = "210987654321" } }]
  })
}

resource "aws_iam_role_policy" "publish" {
  name   = "publish"
  role   = aws_iam_role.this.name
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = ["s3:PutObject", "s3:DeleteObject"], Resource = "arn:aws:s3:::www.example.com/*" }] })
}
