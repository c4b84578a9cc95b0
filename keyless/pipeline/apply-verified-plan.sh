#!/bin/sh
# Runs Terraform for `cdktf deploy` after `keyless verify`. `cdktf deploy` ignores saved plans: this script passes it the
# private copy that was verified. Terraform rejects that plan if the state has changed since.
refuse() {
  echo "keyless: $1: nothing was applied" >&2
  exit 1
}
sha256() {
  if command -v sha256sum >/dev/null; then sha256sum <"$1"; else shasum -a 256 <"$1"; fi
}

case "$1" in
apply)
  [ . -ef "$KEYLESS_VERIFIED_STACK" ] || refuse "the verified plan is one of $KEYLESS_VERIFIED_STACK, but the current folder is $PWD"
  sum="$(sha256 "$KEYLESS_VERIFIED_PLAN")" || refuse "the verified plan cannot be read: run keyless verify again"
  [ "${sum%% *}" = "$KEYLESS_VERIFIED_SHA256" ] || refuse "$KEYLESS_VERIFIED_PLAN is not the verified plan: run keyless verify again"
  exec "$KEYLESS_TERRAFORM" "$@" "$KEYLESS_VERIFIED_PLAN"
  ;;
destroy | -chdir*) refuse "only the verified plan can be applied, by cdktf deploy" ;;
*) exec "$KEYLESS_TERRAFORM" "$@" ;;
esac
