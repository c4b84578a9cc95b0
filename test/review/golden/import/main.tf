# A queue that was created outside Terraform is imported and changed.

resource "aws_sqs_queue" "jobs" {
  name             = "jobs"
  max_message_size = 2048
}

import {
  to = aws_sqs_queue.jobs
  id = "http://sqs.us-east-1.amazonaws.com/123456789012/jobs"
}
