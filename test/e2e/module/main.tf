# The documented Terraform module for CircleCI and AWS, written out: what the stack of an environment must equal.

terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "5.100.0"
    }
  }
}

provider "aws" {
  region = "us-east-1"
}

variable "role_name" {
  type    = string
  default = "circleci-oidc-tf"
}

variable "oidc_url" {
  type = string
}

variable "oidc_client_id" {
  type = string
}

variable "oidc_thumbprint" {
  type = string
}

variable "project_repository_condition" {
  type = string
}

variable "policy_arns" {
  type    = list(string)
  default = ["arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"]
}

variable "default_tags" {
  type    = map(string)
  default = {}
}

resource "aws_iam_openid_connect_provider" "this" {
  url             = "https://${var.oidc_url}"
  client_id_list  = [var.oidc_client_id]
  thumbprint_list = [var.oidc_thumbprint]
}

data "aws_iam_policy_document" "this" {
  statement {
    actions = ["sts:AssumeRoleWithWebIdentity"]

    principals {
      type        = "Federated"
      identifiers = [aws_iam_openid_connect_provider.this.arn]
    }

    condition {
      test     = "StringEquals"
      variable = "${var.oidc_url}:aud"
      values   = [var.oidc_client_id]
    }

    condition {
      test     = "StringLike"
      variable = "${var.oidc_url}:sub"
      values   = [var.project_repository_condition]
    }
  }
}

resource "aws_iam_role" "this" {
  name               = var.role_name
  assume_role_policy = data.aws_iam_policy_document.this.json
  tags               = var.default_tags
}

resource "aws_iam_role_policy_attachment" "this" {
  for_each = { for index, arn in var.policy_arns : index => arn }

  policy_arn = each.value
  role       = aws_iam_role.this.name
}
