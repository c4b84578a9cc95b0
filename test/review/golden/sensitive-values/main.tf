# A secret and a sensitive output change: their values are not shown.

resource "aws_ssm_parameter" "token" {
  name  = "token"
  type  = "SecureString"
  value = "after"
}

output "token" {
  value     = aws_ssm_parameter.token.value
  sensitive = true
}
