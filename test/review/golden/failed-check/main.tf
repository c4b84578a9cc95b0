# A check fails, with a message that would mention users in Markdown.

resource "aws_sqs_queue" "jobs" {
  name = "jobs"
}

check "health" {
  assert {
    condition     = aws_sqs_queue.jobs.name == "tasks"
    error_message = "the queue is not the one of @everyone"
  }
}
