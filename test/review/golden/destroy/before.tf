resource "aws_sqs_queue" "policy" {
  name   = "jobs"
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Deny", Action = "sqs:*", Resource = "*", Principal = "*" }] })
}

output "queue" {
  value = aws_sqs_queue.policy.name
}
