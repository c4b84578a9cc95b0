resource "aws_ssm_parameter" "token" {
  name  = "token"
  type  = "SecureString"
  value = "before"
}

output "token" {
  value     = aws_ssm_parameter.token.value
  sensitive = true
}
