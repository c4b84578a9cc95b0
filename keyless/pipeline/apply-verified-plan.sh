#!/bin/sh
# Terraform for a `cdktf deploy` of a plan that `keyless verify` has compared with the reviewed one: `cdktf deploy` would
# make another plan and apply that; here it applies the very plan, which Terraform refuses once the state has changed.
if [ "$1" = apply ]; then
  if [ ! plan -ef "$KEYLESS_VERIFIED_PLAN" ]; then
    echo "keyless: what was verified is $KEYLESS_VERIFIED_PLAN, and this is $PWD: nothing is applied" >&2
    exit 1
  fi
  exec "$KEYLESS_TERRAFORM" "$@" plan
fi
exec "$KEYLESS_TERRAFORM" "$@"
