# A queue is moved to another address and replaced, because its name changes.

resource "aws_sqs_queue" "tasks" {
  name = "tasks"
}

moved {
  from = aws_sqs_queue.jobs
  to   = aws_sqs_queue.tasks
}
