/** Names of actions by the prefix of their service, for example `lambda`. */
export type PermissionsActions = { readonly [prefix: string]: readonly string[] };

/** The prefixes of actions by the beginning of a type's name, where the two differ. The longest beginning counts. */
const PREFIXES: { readonly [beginning: string]: readonly string[] } = {
  aws_acmpca: ["acm-pca"],
  aws_api_gateway: ["apigateway"],
  aws_apigatewayv2: ["apigateway"],
  aws_cloudwatch_event: ["events"],
  aws_cloudwatch_log: ["logs"],
  aws_codeguruprofiler: ["codeguru-profiler"],
  aws_directory_service: ["ds"],
  aws_efs: ["elasticfilesystem"],
  aws_emr: ["elasticmapreduce"],
  aws_ecrpublic: ["ecr-public"],
  aws_licensemanager: ["license-manager"],
  aws_media_store: ["mediastore"],
  aws_pinpointsmsvoicev2: ["sms-voice"],
  aws_paymentcryptography: ["payment-cryptography"],
  aws_resourceexplorer2: ["resource-explorer-2"],
  aws_route53_resolver: ["route53resolver"],
  aws_route53recoverycontrolconfig: ["route53-recovery-control-config"],
  aws_s3control: ["s3", "s3-outposts", "s3express", "s3-object-lambda"],
  aws_s3: ["s3"],
  aws_sesv2: ["ses"],
  aws_ssmcontacts: ["ssm-contacts"],
  aws_ssmincidents: ["ssm-incidents"],
  aws_ssoadmin: ["sso"],
  aws_vpclattice: ["vpc-lattice"],
  aws_wafregional: ["waf-regional"],
};

/** The beginnings of the names of types of Amazon EC2. */
const EC2 =
  /^aws_(ami|default|ebs|ec2|instance|key|launch|nat|network_(acl|interface)|placement|snapshot|spot|subnet|vpc|vpn)(_|$)/;

const VERB =
  /^(Abort|Add|Associate|Attach|Authorize|Cancel|Complete|Create|Deauthorize|Delete|Detach|Disable|Disassociate|Dissociate|Enable|Grant|Initiate|Modify|Put|Reject|Remove|Reset|Retire|Revoke|Set|Update)(?=[A-Z])/;

/** Words in a type's name that its actions do not have. */
const TYPE_ONLY = ["attachment", "authorization", "configuration", "document", "exclusive", "external", "replica"];

/** Words of an action that name an attribute of the type: `PutBucketPolicy` and `policy` of `aws_s3_bucket`. */
const ATTRIBUTE = ["access", "acl", "assume", "block", "boundary", "iam", "permission", "policy", "public", "role"];

/**
 * The operations of access level "Permissions management" that a type performs, by their words: `CreatePermission` and
 * `aws_acmpca_permission`, `AttachRolePolicy` and `aws_iam_role_policy_attachment`, `PutBucketPolicy` and the attribute
 * `policy` of `aws_s3_bucket`.
 */
export function actionsOf(type: string, attributes: readonly string[], actions: PermissionsActions): string[] {
  const service = serviceOf(type);
  const named = wordsOf(type.slice(service.length));
  const own = named.filter((word) => !TYPE_ONLY.includes(word));
  const held = attributes.flatMap(wordsOf);
  const performs = (action: string) => {
    const [verb = ""] = VERB.exec(action) ?? [];
    const object = wordsOf(action.slice(verb.length).replace(/([a-z0-9])(?=[A-Z])|([A-Z])(?=[A-Z][a-z])/g, "$1$2_"));
    const rest = object.filter((word) => !own.includes(word));
    const attaches = /^(At|De)tach$/.test(verb);
    return (
      object.length > rest.length &&
      own.every((word) => object.includes(word)) &&
      rest.every((word) => ATTRIBUTE.includes(word) && held.includes(word)) &&
      (named.includes("attachment") ? attaches : !attaches || rest.length > 0)
    );
  };
  const prefixes = PREFIXES[service] ?? [service.slice("aws_".length)];
  return prefixes.flatMap((prefix) => (actions[prefix] ?? []).filter(performs).map((action) => `${prefix}:${action}`));
}

/** The beginning of a type's name that names the service. */
function serviceOf(type: string): string {
  if (EC2.test(type)) return "aws_ec2";
  const beginnings = Object.keys(PREFIXES).filter((each) => type.startsWith(`${each}_`));
  return beginnings.sort((a, b) => b.length - a.length)[0] ?? type.split("_", 2).join("_");
}

function wordsOf(text: string): string[] {
  return text
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => !["", "resource", "to", "for", "from"].includes(word))
    .map((word) => word.replace(/ies$/, "y").replace(/(?<=[^s])s$/, ""));
}
