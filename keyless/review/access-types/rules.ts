import type { AccessAttributes } from ".";
import type { SchemaNode } from "./schema";

/** A name's words: the policies that are not about access. */
const NO_POLICY =
  /(^|_)(alpn|archive|base|browser|content_security|deletion|delivery|dns|exception|filter|firewall|image_pull|import|lifecycle|notification|padding|permission|protection|protocol|redrive(_allow)?|referrer|replay|retry|routing|(auto)?scaling|security|selection|sizing|snapshot|ssl|termination|tls|user_context|https?)_polic(y|ies)$/;

/**
 * Which attributes hold what, by their names in the provider's schema. `type` restricts a rule to resource types. An
 * attribute for which a name misleads is in the corrections.
 */
export const ATTRIBUTE_RULES: readonly {
  readonly holds: keyof AccessAttributes;
  readonly name: RegExp;
  readonly except?: RegExp;
  readonly type?: RegExp;
  readonly kind?: SchemaNode["kind"];
}[] = [
  { holds: "policies", name: /(^|_)polic(y|ies)(_document|_json)?$/, except: NO_POLICY, kind: "string" },
  { holds: "limits", name: /^permissions?_boundary$|^guardrail_policy_arns?$|^principal_org_id$/ },
  { holds: "limits", name: /^source_(account|arn)$|^external_id$/, type: /permission|access|subscriber/ },
  { holds: "attachments", name: /(^|_)policy_arns?$/, except: /guardrail|scheduling|firewall/ },
  { holds: "attachments", name: /^permission_set_arn$/, type: /assignment$/ },
  { holds: "attachments", name: /^security_profile_ids$/ },
  { holds: "principals", name: /^permission_set_arn$/, type: /_attachment$|_inline_policy$/ },
  { holds: "rules", name: /^access_string$/ },
  { holds: "principals", name: /(^|_)principals?(_arn|_id|_identifier)?$|^grantee$/, except: /^(share|kerberos)_/ },
  { holds: "principals", name: /^(shared|target)_accounts$|(admin|administrator|master)_account(_id)?$/ },
  { holds: "principals", name: /^(read_only_)?admins$|^trusted_(signers|key_groups|resource_owners)$/ },
  { holds: "principals", name: /^consumer_(arn|identifier)$|^organization(al_unit)?_arns?$|^user_arn$/ },
  {
    holds: "principals",
    name: /^(aws_)?account(_id)?$/,
    type: /permission|authoriz|admin|shared/,
  },
  {
    holds: "principals",
    name: /^(user|group|member|thing)(s|_id|_name)?$|^username$/,
    type: /membership|user_in_group|role_association/,
  },
  { holds: "grants", name: /^permissions?$|^permissions_with_grant_option$|^permission_arns$|^operations$/ },
  { holds: "grants", name: /^actions?$/, type: /_permission$/ },
  { holds: "acls", name: /(^|_)(canned_)?acl(_option|_for_objects)?$/, kind: "string", except: /network/ },
  { holds: "acls", name: /^(target_)?grant$|^access_control_policy$|^bucket_owner_access$/ },
  {
    holds: "roles",
    name: /(^|_)role(s|_arns?|_name)?$|(^|_)instance_profile(_arn|_name)?$|^iam_roles?(_arns?)?$/,
    except: /geographic|snowflake/,
    kind: "string",
  },
  { holds: "roles", name: /(^|_)credentials(_arn)?$/, type: /^aws_api_?gateway/, kind: "string" },
  { holds: "sessions", name: /^session_duration$/ },
  { holds: "sessions", name: /^max_session_duration$|^credential_duration$|^duration_seconds$/, kind: "number" },
];

/** Which values of an attribute make something public, or accessible without authentication. */
export const EXPOSURE_RULES: readonly {
  readonly name: RegExp;
  readonly open: readonly (string | boolean | null)[];
  readonly type?: RegExp;
  readonly kind: SchemaNode["kind"];
}[] = [
  { name: /^(is_)?publicly_accessible$|^public_connectivity$|^endpoint_public_access$/, open: [true], kind: "bool" },
  // Of an access point, the default is true.
  { name: /^(block|ignore|restrict)_public_/, open: [false, null], type: /_public_access_block$/, kind: "bool" },
  { name: /^(block|ignore|restrict)_public_/, open: [false], type: /_access_point$/, kind: "bool" },
  { name: /^block_public_security_group_rules$/, open: [false, null], kind: "bool" },
  { name: /^allow_unauthenticated_|^anonymous_|^unauthenticated$|^no_password_required$/, open: [true], kind: "bool" },
  { name: /^allow_(classic_flow|external_principals)$/, open: [true], kind: "bool" },
  { name: /^authorization(_type)?$/, open: ["NONE"], type: /_(url|method)$/, kind: "string" },
];
