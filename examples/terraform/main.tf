terraform {
  required_version = ">= 1.11.0, < 2.0.0"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.100"
    }
  }

  backend "s3" {
    bucket       = "acme-dev-app-tfstate"
    key          = "app/terraform.tfstate"
    region       = "us-east-1"
    encrypt      = true
    use_lockfile = true
  }
}

provider "aws" {
  region              = "us-east-1"
  allowed_account_ids = ["123456789012"]
}

resource "aws_s3_object" "robots" {
  bucket       = "www.dev.example.com"
  key          = "robots.txt"
  content      = "User-agent: *\nAllow: /\n"
  content_type = "text/plain"
}

output "robots_version" {
  value = aws_s3_object.robots.etag
}
