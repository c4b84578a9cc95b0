#!/bin/sh
# Runs Terraform for `cdktf deploy` after `keyless verify`. `cdktf deploy` ignores saved plans: this script passes it the
# verified plan. Terraform rejects that plan if the state has changed since.
if [ "$1" = apply ]; then
  if [ ! plan -ef "$KEYLESS_VERIFIED_PLAN" ]; then
    echo "keyless: the verified plan is $KEYLESS_VERIFIED_PLAN, but the current folder is $PWD: nothing was applied" >&2
    exit 1
  fi
  exec "$KEYLESS_TERRAFORM" "$@" plan
fi
exec "$KEYLESS_TERRAFORM" "$@"
