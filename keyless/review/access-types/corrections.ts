import type { AccessAttributes, AccessType } from ".";

/**
 * What the names in the schema do not show. An attribute that is listed here is only what it is listed as, whatever the
 * rules say. `exposures` are the values that open, by attribute.
 */
type Correction = Partial<AccessAttributes> &
  Partial<Pick<AccessType, "executes" | "credential" | "restricts">> & {
    readonly exposures?: { readonly [path: string]: readonly (string | boolean | null)[] };
  };

const BEANSTALK_ROLES = ["IamInstanceProfile", "ServiceRole"].map((name) => `setting[name=${name}].value`);
const SIGNERS = ["default_cache_behavior", "ordered_cache_behavior"].flatMap((block) =>
  ["trusted_key_groups", "trusted_signers"].map((name) => `${block}.${name}`),
);
const LAUNCH_TEMPLATE = ["launch_template.id", "launch_template.name"];
const OAUTH_CLIENT: Correction = {
  rules: ["allowed_oauth_flows", "allowed_oauth_scopes", "callback_urls", "explicit_auth_flows"],
};
/** Lambda functions that decide who signs in, and as what. */
const SIGN_IN_FUNCTIONS = [
  ...["create_auth_challenge", "define_auth_challenge", "verify_auth_challenge_response", "pre_authentication"],
  ...["pre_sign_up", "pre_token_generation", "pre_token_generation_config", "user_migration"],
].map((name) => `lambda_config.${name}`);
const FINE_GRAINED: Correction = {
  principals: ["advanced_security_options.master_user_options"],
  exposures: { "advanced_security_options.enabled": [false, null] },
};
const EXECUTES: Correction = { executes: true };
const QUICKSIGHT: Correction = { principals: ["permissions.principal"], grants: ["permissions.actions"] };
const CREDENTIAL: Correction = { credential: true };

export const ADDED: { readonly [type: string]: Correction } = {
  // IAM
  aws_iam_access_key: { credential: true, principals: ["user"], exposures: { status: ["Active", null] } },
  aws_iam_user_login_profile: { credential: true, principals: ["user"] },
  aws_iam_user_ssh_key: {
    credential: true,
    principals: ["username"],
    exposures: { status: ["Active", "active", null] },
  },
  aws_iam_service_specific_credential: {
    credential: true,
    principals: ["user_name"],
    exposures: { status: ["Active", null] },
  },
  aws_iam_signing_certificate: { credential: true, principals: ["user_name"], exposures: { status: ["Active", null] } },
  aws_iam_openid_connect_provider: { principals: ["url", "client_id_list", "thumbprint_list"] },
  aws_iam_saml_provider: { principals: ["saml_metadata_document"] },
  aws_iam_service_linked_role: { principals: ["aws_service_name"] },
  aws_iam_instance_profile: { roles: ["role"] },
  aws_iam_organizations_features: { grants: ["enabled_features"] },
  aws_iam_role_policy: { principals: ["role"] },
  aws_iam_role_policy_attachment: { principals: ["role"] },
  // Deletes the inline policies that it does not name, which can contain a Deny. Does not create one.
  aws_iam_role_policies_exclusive: { principals: ["role_name"], limits: ["policy_names"] },
  aws_iam_role_policy_attachments_exclusive: { principals: ["role_name"] },
  aws_iam_user_policy: { principals: ["user"] },
  aws_iam_user_policy_attachment: { principals: ["user"] },
  aws_iam_user_policies_exclusive: { principals: ["user_name"], limits: ["policy_names"] },
  aws_iam_user_policy_attachments_exclusive: { principals: ["user_name"] },
  aws_iam_group_policy: { principals: ["group"] },
  aws_iam_group_policy_attachment: { principals: ["group"] },
  aws_iam_group_policies_exclusive: { principals: ["group_name"], limits: ["policy_names"] },
  aws_iam_group_policy_attachments_exclusive: { principals: ["group_name"] },
  aws_iam_policy_attachment: { principals: ["groups", "roles", "users"] },
  aws_rolesanywhere_profile: {
    limits: ["session_policy", "managed_policy_arns", "require_instance_properties"],
    exposures: { enabled: [true] },
  },
  aws_rolesanywhere_trust_anchor: { principals: ["source"], exposures: { enabled: [true] } },

  // Organizations, IAM Identity Center, Resource Access Manager, Control Tower
  aws_organizations_policy: { limits: ["content"] },
  aws_organizations_policy_attachment: { limits: ["policy_id", "target_id"] },
  aws_organizations_resource_policy: { policies: ["content"] },
  aws_organizations_organization: {
    limits: ["enabled_policy_types", "feature_set"],
    principals: ["aws_service_access_principals"],
  },
  aws_organizations_account: {
    // An account that moves to another organizational unit comes under other service control policies.
    limits: ["parent_id"],
    roles: ["role_name"],
    exposures: { iam_user_access_to_billing: ["ALLOW"] },
  },
  aws_organizations_delegated_administrator: { principals: ["account_id"], grants: ["service_principal"] },
  aws_identitystore_group_membership: { principals: ["member_id"], grants: ["group_id"] },
  aws_ssoadmin_account_assignment: { grants: ["target_id"] },
  aws_ssoadmin_application_assignment_configuration: { exposures: { assignment_required: [false] } },
  aws_ssoadmin_application_access_scope: { grants: ["authorized_targets", "scope"] },
  aws_ssoadmin_customer_managed_policy_attachment: { attachments: ["customer_managed_policy_reference"] },
  aws_ssoadmin_managed_policy_attachment: { attachments: ["managed_policy_arn"] },
  aws_ssoadmin_permissions_boundary_attachment: { limits: ["permissions_boundary"], restricts: true },
  aws_ssoadmin_instance_access_control_attributes: { rules: ["attribute"] },
  aws_ssoadmin_trusted_token_issuer: { principals: ["trusted_token_issuer_configuration"] },
  aws_ram_principal_association: { grants: ["resource_share_arn"] },
  aws_ram_resource_association: { grants: ["resource_arn", "resource_share_arn"] },
  aws_ram_resource_share_accepter: { grants: ["share_arn"] },
  aws_controltower_control: { limits: ["control_identifier", "target_identifier", "parameters"], restricts: true },
  aws_controltower_landing_zone: EXECUTES,

  // Resource policies and permissions
  aws_lambda_function_url: { exposures: { authorization_type: ["NONE"] } },
  aws_lambda_permission: { limits: ["source_account", "source_arn", "principal_org_id", "event_source_token"] },
  aws_lambda_layer_version_permission: { limits: ["organization_id"] },
  aws_cloudwatch_event_permission: { limits: ["condition"], grants: ["action"] },
  aws_kms_grant: { limits: ["constraints"] },
  aws_ami_launch_permission: { principals: ["account_id", "group", "organization_arn", "organizational_unit_arn"] },
  aws_imagebuilder_distribution_configuration: {
    principals: [
      ...["user_ids", "user_groups", "organization_arns", "organizational_unit_arns"].map(
        (name) => `distribution.ami_distribution_configuration.launch_permission.${name}`,
      ),
      "distribution.ami_distribution_configuration.target_account_ids",
    ],
  },
  aws_ssm_document: { principals: ["permissions"] },
  aws_ssm_service_setting: { rules: ["setting_value"] },
  aws_iot_policy_attachment: { attachments: ["policy"], principals: ["target"] },
  aws_iot_thing_principal_attachment: { principals: ["principal"] },
  aws_oam_link: { principals: ["sink_identifier"], grants: ["resource_types", "link_configuration"] },
  aws_api_gateway_domain_name_access_association: { principals: ["access_association_source"] },
  aws_directory_service_shared_directory: { principals: ["target.id"] },
  aws_directory_service_shared_directory_accepter: { grants: ["shared_directory_id"] },
  aws_directory_service_trust: { principals: ["remote_domain_name"], rules: ["trust_direction", "selective_auth"] },
  aws_auditmanager_framework_share: { principals: ["destination_account"] },
  aws_auditmanager_assessment: { principals: ["roles.role_arn"] },
  aws_auditmanager_assessment_delegation: { principals: ["role_arn"] },
  aws_globalaccelerator_cross_account_attachment: { grants: ["resource"] },
  aws_guardduty_invite_accepter: { principals: ["master_account_id"] },
  aws_securityhub_invite_accepter: { principals: ["master_id"] },
  aws_detective_invitation_accepter: { principals: ["graph_arn"] },
  aws_opensearch_inbound_connection_accepter: { principals: ["connection_id"] },
  aws_redshift_data_share_authorization: { grants: ["data_share_arn", "allow_writes"] },
  aws_redshift_data_share_consumer_association: {
    grants: ["data_share_arn", "allow_writes"],
    exposures: { associate_entire_account: [true] },
  },
  aws_redshift_partner: { principals: ["partner_name"] },
  aws_verifiedaccess_endpoint: { rules: ["policy_document"] },
  aws_verifiedaccess_group: { rules: ["policy_document"] },
  aws_verifiedaccess_instance_trust_provider_attachment: { principals: ["verifiedaccess_trust_provider_id"] },
  aws_verifiedaccess_trust_provider: {
    principals: ["device_options", "native_application_oidc_options", "oidc_options"],
  },
  aws_verifiedpermissions_policy: { rules: ["definition"] },
  aws_verifiedpermissions_policy_template: { rules: ["statement"] },
  aws_verifiedpermissions_identity_source: { principals: ["configuration"] },
  aws_vpc_endpoint_connection_accepter: { principals: ["vpc_endpoint_id"] },
  aws_vpc_endpoint_service: { exposures: { acceptance_required: [false] } },
  aws_vpclattice_service: { exposures: { auth_type: ["NONE", null] } },
  aws_vpclattice_service_network: { exposures: { auth_type: ["NONE", null] } },
  aws_opensearchserverless_access_policy: { rules: ["policy"] },
  aws_opensearchserverless_security_policy: { rules: ["policy"] },
  aws_opensearchserverless_security_config: { principals: ["saml_options"] },
  aws_licensemanager_grant: { grants: ["allowed_operations", "license_arn"] },
  aws_licensemanager_grant_accepter: { grants: ["grant_arn"] },
  aws_dlm_lifecycle_policy: { principals: ["policy_details.schedule.share_rule.target_accounts"] },
  aws_securitylake_subscriber: {
    principals: ["subscriber_identity.principal"],
    limits: ["subscriber_identity.external_id"],
    grants: ["access_type", "source"],
  },
  aws_securitylake_custom_log_source: { principals: ["configuration.provider_identity"] },
  aws_cleanrooms_collaboration: { principals: ["member"], grants: ["creator_member_abilities"] },
  aws_cleanrooms_configured_table: { grants: ["allowed_columns", "analysis_method"] },
  aws_dataexchange_revision_assets: { grants: ["asset"] },
  aws_backup_global_settings: { rules: ["global_settings"] },
  aws_codecommit_approval_rule_template: { rules: ["content"] },
  aws_ecrpublic_repository: { rules: ["repository_name"] },

  // S3 and Lake Formation
  aws_s3_bucket: { principals: ["replication_configuration.rules.destination.access_control_translation"] },
  aws_s3_bucket_replication_configuration: {
    principals: ["rule.destination.account", "rule.destination.access_control_translation"],
  },
  aws_s3_bucket_ownership_controls: {
    exposures: { "rule.object_ownership": ["BucketOwnerPreferred", "ObjectWriter", null] },
    restricts: true,
  },
  aws_s3_bucket_public_access_block: { restricts: true },
  aws_s3_account_public_access_block: { restricts: true },
  aws_s3control_access_grant: {
    principals: ["grantee.grantee_identifier"],
    grants: ["permission", "access_grants_location_id", "access_grants_location_configuration"],
  },
  aws_s3control_access_grants_instance: { principals: ["identity_center_arn"] },
  aws_s3control_access_grants_location: { grants: ["location_scope"] },
  aws_s3control_directory_bucket_access_point_scope: { limits: ["scope"], restricts: true },
  aws_ebs_snapshot_block_public_access: {
    exposures: { state: ["unblocked", "block-new-sharing"] },
    restricts: true,
  },
  aws_ec2_image_block_public_access: { exposures: { state: ["unblocked"] }, restricts: true },
  aws_emr_block_public_access_configuration: { restricts: true },
  aws_elastictranscoder_pipeline: { acls: ["content_config_permissions", "thumbnail_config_permissions"] },
  aws_lakeformation_permissions: {
    grants: [
      ...["permissions", "permissions_with_grant_option", "catalog_resource", "data_cells_filter", "data_location"],
      ...["database", "lf_tag", "lf_tag_policy", "table", "table_with_columns"],
    ],
  },
  aws_lakeformation_data_lake_settings: {
    principals: [
      ...["admins", "read_only_admins", "trusted_resource_owners", "external_data_filtering_allow_list"],
      ...["authorized_session_tag_value_list"],
    ],
    grants: ["create_database_default_permissions", "create_table_default_permissions"],
    exposures: { allow_external_data_filtering: [true], allow_full_table_external_data_access: [true] },
  },
  aws_lakeformation_resource: { exposures: { hybrid_access_enabled: [true], with_federation: [true] } },
  aws_lakeformation_resource_lf_tag: { grants: ["lf_tag", "database", "table", "table_with_columns"] },
  aws_lakeformation_resource_lf_tags: { grants: ["lf_tag", "database", "table", "table_with_columns"] },
  aws_lakeformation_data_cells_filter: { grants: ["table_data"] },
  // Lake Formation's permissions apply to who opted in, IAM's alone to the others.
  aws_lakeformation_opt_in: { principals: ["principal"], restricts: true },
  aws_glue_catalog_database: { grants: ["create_table_default_permission"] },

  // Users, groups and identity providers of services
  aws_cognito_identity_pool: {
    principals: [
      ...["cognito_identity_providers", "openid_connect_provider_arns", "saml_provider_arns"],
      ...["supported_login_providers", "developer_provider_name"],
    ],
  },
  aws_cognito_identity_pool_roles_attachment: { roles: ["roles"], rules: ["role_mapping"] },
  aws_cognito_identity_pool_provider_principal_tag: { rules: ["principal_tags", "use_defaults"] },
  aws_cognito_identity_provider: { principals: ["provider_details", "attribute_mapping"] },
  aws_cognito_user: { credential: true, principals: ["username"] },
  aws_cognito_user_pool: {
    rules: SIGN_IN_FUNCTIONS,
    exposures: { "admin_create_user_config.allow_admin_create_user_only": [false] },
  },
  aws_cognito_user_pool_client: OAUTH_CLIENT,
  aws_cognito_managed_user_pool_client: OAUTH_CLIENT,
  aws_cognito_resource_server: { rules: ["scope"] },
  aws_eks_access_entry: { grants: ["kubernetes_groups"] },
  aws_eks_access_policy_association: { grants: ["access_scope"] },
  aws_eks_cluster: { exposures: { "access_config.bootstrap_cluster_creator_admin_permissions": [true] } },
  aws_eks_node_group: { carriers: LAUNCH_TEMPLATE },
  aws_eks_identity_provider_config: { principals: ["oidc"] },
  aws_eks_pod_identity_association: { principals: ["namespace", "service_account"] },
  aws_connect_user: { credential: true },
  aws_connect_lambda_function_association: { grants: ["function_arn"] },
  aws_connect_bot_association: { grants: ["lex_bot"] },
  aws_quicksight_user: { grants: ["user_role"], principals: ["iam_arn"] },
  aws_quicksight_iam_policy_assignment: { principals: ["identities"], exposures: { assignment_status: ["ENABLED"] } },
  aws_quicksight_role_membership: { grants: ["role"] },
  // The member is a dashboard or a data set, which gets the permissions of the folder.
  aws_quicksight_folder_membership: { grants: ["folder_id", "member_id"] },
  aws_quicksight_account_subscription: { principals: ["admin_group", "author_group", "reader_group"] },
  aws_quicksight_data_set: {
    limits: [
      "row_level_permission_data_set",
      "row_level_permission_tag_configuration",
      "column_level_permission_rules",
    ],
    ...QUICKSIGHT,
  },
  aws_quicksight_data_source: { principals: ["permission.principal"], grants: ["permission.actions"] },
  aws_quicksight_analysis: QUICKSIGHT,
  aws_quicksight_dashboard: QUICKSIGHT,
  aws_quicksight_folder: QUICKSIGHT,
  aws_quicksight_template: QUICKSIGHT,
  aws_quicksight_theme: QUICKSIGHT,
  aws_grafana_role_association: { grants: ["role"], principals: ["group_ids", "user_ids"] },
  aws_grafana_workspace: {
    roles: ["role_arn", "organization_role_name"],
    rules: ["account_access_type", "authentication_providers", "organizational_units"],
  },
  aws_grafana_workspace_saml_configuration: {
    principals: [
      ...["admin_role_values", "editor_role_values", "allowed_organizations", "role_assertion", "idp_metadata_url"],
      ...["idp_metadata_xml"],
    ],
  },
  aws_grafana_workspace_api_key: { credential: true, grants: ["key_role"] },
  aws_grafana_workspace_service_account: { grants: ["grafana_role"] },
  aws_grafana_workspace_service_account_token: CREDENTIAL,
  aws_elasticache_user: {
    exposures: { no_password_required: [true], "authentication_mode.type": ["no-password-required"] },
  },
  aws_elasticache_user_group: { principals: ["user_ids"] },
  aws_elasticache_user_group_association: { principals: ["user_id"] },
  // Without a user group, everyone who reaches the cache can use it.
  aws_elasticache_replication_group: { rules: ["user_group_ids"] },
  aws_elasticache_serverless_cache: { rules: ["user_group_id"] },
  aws_memorydb_cluster: { rules: ["acl_name"], exposures: { acl_name: ["open-access"] } },
  aws_memorydb_acl: { principals: ["user_names"] },
  aws_mq_broker: { principals: ["user", "ldap_server_metadata"] },
  aws_mq_configuration: { rules: ["data"] },
  aws_msk_scram_secret_association: { principals: ["secret_arn_list"] },
  aws_msk_single_scram_secret_association: { principals: ["secret_arn"] },
  aws_neptune_cluster: { exposures: { iam_database_authentication_enabled: [false] } },
  aws_opensearch_domain: FINE_GRAINED,
  aws_elasticsearch_domain: FINE_GRAINED,
  aws_opensearch_domain_saml_options: { principals: ["saml_options"] },
  aws_elasticsearch_domain_saml_options: { principals: ["saml_options"] },
  aws_emr_security_configuration: { rules: ["configuration"] },
  aws_emr_studio_session_mapping: { attachments: ["session_policy_arn"], principals: ["identity_id", "identity_name"] },
  aws_db_instance: { exposures: { iam_database_authentication_enabled: [true] } },
  aws_db_proxy: { rules: ["auth"] },
  aws_rds_cluster: {
    exposures: { iam_database_authentication_enabled: [true], enable_http_endpoint: [true] },
  },
  aws_msk_cluster: {
    exposures: { "broker_node_group_info.connectivity_info.public_access.type": ["SERVICE_PROVIDED_EIPS"] },
  },
  aws_qldb_ledger: { exposures: { permissions_mode: ["ALLOW_ALL"] } },
  aws_directory_service_radius_settings: { rules: ["radius_servers"] },
  aws_ec2_client_vpn_endpoint: { rules: ["authentication_options", "client_connect_options"] },
  aws_ec2_client_vpn_authorization_rule: {
    principals: ["access_group_id"],
    grants: ["target_network_cidr"],
    exposures: { authorize_all_groups: [true] },
  },
  aws_fsx_windows_file_system: { principals: ["self_managed_active_directory.file_system_administrators_group"] },
  aws_fsx_ontap_storage_virtual_machine: {
    principals: [
      "active_directory_configuration.self_managed_active_directory_configuration.file_system_administrators_group",
    ],
  },
  aws_finspace_kx_user: { principals: ["iam_role"] },
  aws_kendra_index: { rules: ["user_context_policy", "user_token_configurations"] },
  aws_sagemaker_workteam: { principals: ["member_definition"], limits: ["worker_access_configuration"] },
  aws_sagemaker_workforce: { principals: ["cognito_config", "oidc_config"] },
  aws_sagemaker_space: { exposures: { "space_sharing_settings.sharing_type": ["Shared"] } },
  aws_sagemaker_endpoint_configuration: {
    exposures: {
      "production_variants.enable_ssm_access": [true],
      "shadow_production_variants.enable_ssm_access": [true],
    },
  },
  aws_sagemaker_servicecatalog_portfolio_status: { exposures: { status: ["Enabled"] } },
  aws_datazone_domain: { exposures: { "single_sign_on.user_assignment": ["AUTOMATIC"] } },
  aws_datazone_user_profile: { principals: ["user_identifier"] },
  aws_cloud9_environment_ec2: { principals: ["owner_arn"] },
  aws_chime_voice_connector_termination_credentials: CREDENTIAL,
  aws_chatbot_slack_channel_configuration: {
    principals: ["slack_channel_id"],
    exposures: { user_authorization_required: [false] },
  },
  aws_chatbot_teams_channel_configuration: {
    principals: ["channel_id"],
    exposures: { user_authorization_required: [false] },
  },
  aws_appstream_user: { credential: true, principals: ["user_name"] },
  aws_appstream_user_stack_association: { principals: ["user_name"] },
  aws_workspaces_workspace: { principals: ["user_name"] },
  aws_workspaces_directory: {
    grants: ["self_service_permissions", "workspace_access_properties"],
    exposures: { "workspace_creation_properties.user_enabled_as_local_administrator": [true] },
  },
  aws_opsworks_user_profile: { credential: true, principals: ["user_arn"] },
  aws_opsworks_permission: { grants: ["level", "allow_ssh", "allow_sudo"] },
  aws_storagegateway_smb_file_share: {
    principals: ["admin_user_list", "valid_user_list"],
    limits: ["invalid_user_list"],
    exposures: { authentication: ["GuestAccess"] },
  },
  aws_transfer_user: { limits: ["policy"], grants: ["home_directory", "home_directory_mappings"] },
  aws_transfer_access: {
    limits: ["policy"],
    principals: ["external_id"],
    grants: ["home_directory", "home_directory_mappings"],
  },
  aws_transfer_certificate: CREDENTIAL,
  aws_transfer_agreement: { principals: ["partner_profile_id"] },
  aws_transfer_ssh_key: { credential: true, principals: ["user_name"] },
  aws_transfer_server: {
    rules: ["identity_provider_type", "function", "url", "directory_id"],
  },
  aws_iot_thing_group_membership: { principals: ["thing_name"] },
  aws_iot_certificate: { credential: true, exposures: { active: [true] } },
  aws_iot_ca_certificate: {
    credential: true,
    rules: ["registration_config"],
    exposures: { active: [true], allow_auto_registration: [true] },
  },
  aws_iot_authorizer: {
    rules: ["authorizer_function_arn", "token_signing_public_keys"],
    exposures: { signing_disabled: [true], status: ["ACTIVE"] },
  },
  aws_iot_domain_configuration: { rules: ["authorizer_config", "authentication_type"] },
  aws_shield_drt_access_role_arn_association: { roles: ["role_arn"] },
  aws_shield_drt_access_log_bucket_association: { grants: ["log_bucket"] },
  aws_lightsail_bucket_resource_access: { principals: ["resource_name"], grants: ["bucket_name"] },
  aws_lightsail_bucket_access_key: CREDENTIAL,
  aws_lightsail_container_service: { exposures: { "private_registry_access.ecr_image_puller_role.is_active": [true] } },
  aws_key_pair: CREDENTIAL,
  aws_lightsail_key_pair: CREDENTIAL,
  aws_ivs_playback_key_pair: CREDENTIAL,
  aws_ivs_channel: { exposures: { authorized: [false] } },
  aws_glue_dev_endpoint: { credential: true },
  aws_ssm_activation: CREDENTIAL,
  aws_ec2_serial_console_access: { exposures: { enabled: [true, null] } },

  // Compute that is created from a resource with a role
  aws_autoscaling_group: {
    carriers: [
      ...LAUNCH_TEMPLATE,
      "launch_configuration",
      ...["launch_template_id", "launch_template_name"].map(
        (name) => `mixed_instances_policy.launch_template.launch_template_specification.${name}`,
      ),
    ],
  },
  aws_batch_compute_environment: {
    carriers: ["launch_template_id", "launch_template_name"].map((name) => `compute_resources.launch_template.${name}`),
  },
  aws_ec2_fleet: {
    carriers: ["launch_template_id", "launch_template_name"].map(
      (name) => `launch_template_config.launch_template_specification.${name}`,
    ),
  },
  aws_ecs_service: { carriers: ["task_definition"], exposures: { enable_execute_command: [true] } },
  aws_ecs_task_set: { carriers: ["task_definition"] },
  aws_instance: { carriers: LAUNCH_TEMPLATE },
  aws_spot_instance_request: { carriers: LAUNCH_TEMPLATE },

  // Deliveries of data
  aws_backup_plan: { destinations: ["rule.copy_action.destination_vault_arn"] },
  aws_cloudwatch_event_api_destination: { destinations: ["invocation_endpoint"] },
  aws_cloudwatch_event_target: { destinations: ["arn"] },
  aws_cloudwatch_log_account_policy: { destinations: ["policy_document.DestinationArn"] },
  aws_cloudwatch_log_delivery_destination: {
    destinations: ["delivery_destination_configuration.destination_resource_arn"],
  },
  aws_cloudwatch_log_destination: { destinations: ["target_arn"] },
  aws_cloudwatch_log_subscription_filter: { destinations: ["destination_arn"] },
  aws_codecommit_trigger: { destinations: ["trigger.destination_arn"] },
  aws_ecr_replication_configuration: { principals: ["replication_configuration.rule.destination.registry_id"] },
  aws_guardduty_publishing_destination: { destinations: ["destination_arn"] },
  aws_kinesis_firehose_delivery_stream: {
    destinations: ["http_endpoint_configuration.url", "splunk_configuration.hec_endpoint"],
  },
  aws_lambda_event_source_mapping: { destinations: ["destination_config.on_failure.destination_arn"] },
  aws_lambda_function_event_invoke_config: {
    destinations: ["destination_config.on_failure.destination", "destination_config.on_success.destination"],
  },
  aws_rds_integration: { destinations: ["target_arn"] },
  aws_redshift_integration: { destinations: ["target_arn"] },
  aws_s3_bucket_inventory: { principals: ["destination.bucket.account_id"] },
  aws_s3_bucket_notification: {
    destinations: ["lambda_function.lambda_function_arn", "queue.queue_arn", "topic.topic_arn"],
  },
  aws_scheduler_schedule: { destinations: ["target.arn"] },
  aws_sns_topic_subscription: { destinations: ["endpoint"] },

  // APIs, websites and builds
  aws_api_gateway_usage_plan_key: { principals: ["key_id"], grants: ["usage_plan_id"] },
  aws_api_gateway_method_settings: { exposures: { "settings.require_authorization_for_cache_control": [false] } },
  aws_appsync_source_api_association: { rules: ["source_api_arn", "source_api_id"] },
  aws_api_gateway_method: { rules: ["authorizer_id", "authorization_scopes"] },
  aws_api_gateway_authorizer: { rules: ["authorizer_uri", "identity_source", "provider_arns", "type"] },
  // Without signers, everyone can read.
  aws_cloudfront_distribution: { rules: SIGNERS },
  // Without a policy, everyone can invoke a method that requires no other authorization.
  aws_api_gateway_rest_api: { rules: ["body"], limits: ["policy"] },
  aws_api_gateway_rest_api_policy: { limits: ["policy"] },
  // Without a policy, AWS sets one that allows everything.
  aws_vpc_endpoint: { limits: ["policy"] },
  aws_vpc_endpoint_policy: { limits: ["policy"] },
  aws_api_gateway_rest_api_put: { rules: ["body"] },
  aws_api_gateway_api_key: CREDENTIAL,
  aws_api_gateway_domain_name: { rules: ["mutual_tls_authentication"] },
  aws_apigatewayv2_api: { rules: ["body"] },
  aws_apigatewayv2_authorizer: {
    rules: ["authorizer_uri", "authorizer_type", "identity_sources", "jwt_configuration"],
  },
  aws_apigatewayv2_route: {
    rules: ["authorizer_id", "authorization_scopes"],
    exposures: { authorization_type: ["NONE", null] },
  },
  aws_apigatewayv2_domain_name: { rules: ["mutual_tls_authentication"] },
  aws_appsync_api_key: CREDENTIAL,
  aws_appsync_graphql_api: {
    rules: [
      "additional_authentication_provider",
      "lambda_authorizer_config",
      "openid_connect_config",
      "user_pool_config",
    ],
    exposures: { authentication_type: ["API_KEY"] },
  },
  aws_cloudfront_key_group: { principals: ["items"] },
  aws_amplify_app: { exposures: { enable_basic_auth: [false] } },
  aws_amplify_branch: { exposures: { enable_basic_auth: [false] } },
  aws_amplify_webhook: CREDENTIAL,
  aws_codebuild_project: { exposures: { project_visibility: ["PUBLIC_READ"] } },
  aws_codebuild_webhook: { rules: ["filter_group", "scope_configuration"] },
  aws_codepipeline_webhook: { rules: ["filter"], exposures: { authentication: ["UNAUTHENTICATED"] } },
  aws_mwaa_environment: { exposures: { webserver_access_mode: ["PUBLIC_ONLY"] } },
  aws_lb_listener: listener("default_action"),
  aws_alb_listener: listener("default_action"),
  aws_lb_listener_rule: listenerRule("action"),
  aws_alb_listener_rule: listenerRule("action"),
  aws_lb_trust_store_revocation: { limits: ["revocations_s3_key"], restricts: true },
  aws_lb_trust_store: { principals: ["ca_certificates_bundle_s3_bucket", "ca_certificates_bundle_s3_key"] },
  aws_servicecatalog_constraint: { rules: ["parameters"] },
  aws_servicecatalog_portfolio_share: { grants: ["portfolio_id"] },
  aws_servicecatalog_principal_portfolio_association: { grants: ["portfolio_id"] },
  aws_servicecatalog_product_portfolio_association: { grants: ["portfolio_id", "product_id"] },
  aws_servicecatalog_organizations_access: { exposures: { enabled: ["true", true] } },
  aws_servicecatalog_service_action: { roles: ["definition.assume_role"] },
  aws_budgets_budget_action: {
    attachments: ["definition.iam_action_definition.policy_arn"],
    principals: [
      ...["definition.iam_action_definition.groups", "definition.iam_action_definition.roles"],
      ...["definition.iam_action_definition.users"],
    ],
    limits: ["definition.scp_action_definition"],
  },
  aws_elastic_beanstalk_environment: { roles: BEANSTALK_ROLES },
  aws_elastic_beanstalk_configuration_template: { roles: BEANSTALK_ROLES },
  // `iam_instance_profile` is a block with `arn` and `name`.
  aws_launch_template: { roles: ["iam_instance_profile.arn", "iam_instance_profile.name"] },

  aws_batch_job_definition: {
    roles: [
      ...["container_properties.executionRoleArn", "container_properties.jobRoleArn"],
      ...["ecs_properties.taskProperties.executionRoleArn", "ecs_properties.taskProperties.taskRoleArn"],
      ...["node_properties.nodeRangeProperties.container.executionRoleArn"],
      ...["node_properties.nodeRangeProperties.container.jobRoleArn"],
      "eks_properties.pod_properties.service_account_name",
    ],
  },
  // The role is in the YAML document.
  aws_osis_pipeline: { rules: ["pipeline_configuration_body"] },
  // It maps users and groups to roles for access to S3.
  aws_emr_cluster: { rules: ["security_configuration"] },

  // Templates, documents and code that run
  aws_cloudcontrolapi_resource: EXECUTES,
  aws_cloudformation_stack: EXECUTES,
  aws_cloudformation_stack_set: EXECUTES,
  aws_cloudformation_stack_instances: EXECUTES,
  aws_cloudformation_stack_set_instance: EXECUTES,
  aws_config_conformance_pack: EXECUTES,
  aws_config_organization_conformance_pack: EXECUTES,
  aws_config_remediation_configuration: EXECUTES,
  aws_datapipeline_pipeline_definition: EXECUTES,
  aws_datazone_environment: EXECUTES,
  aws_iot_provisioning_template: EXECUTES,
  aws_lambda_invocation: EXECUTES,
  aws_redshiftdata_statement: EXECUTES,
  aws_sagemaker_project: EXECUTES,
  aws_serverlessapplicationrepository_cloudformation_stack: EXECUTES,
  aws_servicecatalog_product: EXECUTES,
  aws_servicecatalog_provisioned_product: EXECUTES,
  aws_servicecatalog_provisioning_artifact: EXECUTES,
  aws_ssm_association: EXECUTES,
  aws_ssm_maintenance_window_task: EXECUTES,
  aws_ssmquicksetup_configuration_manager: EXECUTES,
};

/** The authentication by the load balancer. */
function listenerRule(action: string): Correction {
  return {
    rules: [`${action}.authenticate_cognito`, `${action}.authenticate_oidc`],
  };
}

function listener(action: string): Correction {
  return { ...listenerRule(action), exposures: { "mutual_authentication.mode": ["off"] } };
}

/**
 * The operations of types whose names have other words than the operations, and of types that perform fewer operations
 * than their names suggest.
 */
export const TYPE_ACTIONS: { readonly [type: string]: readonly string[] } = {
  aws_ami_launch_permission: ["ec2:CancelImageLaunchPermission"],
  aws_api_gateway_domain_name_access_association: ["apigateway:CreateAccessAssociation"],
  aws_backup_vault_policy: ["backup:DeleteBackupVaultAccessPolicy", "backup:PutBackupVaultAccessPolicy"],
  aws_cloudsearch_domain_service_access_policy: ["cloudsearch:UpdateServiceAccessPolicies"],
  aws_cloudwatch_event_bus_policy: ["events:PutPermission", "events:RemovePermission"],
  aws_emr_block_public_access_configuration: ["elasticmapreduce:PutBlockPublicAccessConfiguration"],
  aws_glacier_vault: ["glacier:DeleteVaultAccessPolicy", "glacier:SetVaultAccessPolicy"],
  aws_iam_policy: ["iam:CreatePolicy", "iam:CreatePolicyVersion", "iam:DeletePolicy", "iam:DeletePolicyVersion"],
  aws_iam_policy_attachment: ["Group", "Role", "User"].flatMap((kind) => [
    `iam:Attach${kind}Policy`,
    `iam:Detach${kind}Policy`,
  ]),
  aws_iot_policy: ["iot:CreatePolicy", "iot:CreatePolicyVersion", "iot:DeletePolicy", "iot:DeletePolicyVersion"],
  aws_network_interface_permission: ["ec2:CreateNetworkInterfacePermission", "ec2:DeleteNetworkInterfacePermission"],
  aws_organizations_policy: ["organizations:UpdatePolicy"],
  aws_organizations_resource_policy: ["organizations:DeleteResourcePolicy", "organizations:PutResourcePolicy"],
  aws_ram_sharing_with_organization: ["ram:EnableSharingWithAwsOrganization"],
  aws_redshift_data_share_authorization: ["redshift:AuthorizeDataShare", "redshift:DeauthorizeDataShare"],
  aws_redshift_endpoint_access: [],
  aws_redshift_endpoint_authorization: ["redshift:AuthorizeEndpointAccess", "redshift:RevokeEndpointAccess"],
  aws_s3_bucket_object: ["s3:PutObjectAcl"],
  aws_s3_object_copy: ["s3:PutObjectAcl"],
  aws_s3_bucket_replication_configuration: ["s3:ObjectOwnerOverrideToBucketOwner"],
  aws_s3control_bucket_policy: ["s3-outposts:DeleteBucketPolicy", "s3-outposts:PutBucketPolicy"],
  aws_s3control_directory_bucket_access_point_scope: [
    "s3express:DeleteAccessPointScope",
    "s3express:PutAccessPointScope",
  ],
  aws_secretsmanager_secret: ["secretsmanager:DeleteResourcePolicy", "secretsmanager:PutResourcePolicy"],
  aws_secretsmanager_secret_policy: ["secretsmanager:DeleteResourcePolicy", "secretsmanager:PutResourcePolicy"],
  aws_signer_signing_profile_permission: ["signer:AddProfilePermission", "signer:RemoveProfilePermission"],
  aws_snapshot_create_volume_permission: ["ec2:ModifySnapshotAttribute"],
  aws_sns_topic: ["sns:SetTopicAttributes"],
  aws_sns_topic_policy: ["sns:SetTopicAttributes"],
  aws_sqs_queue: ["sqs:SetQueueAttributes"],
  aws_sqs_queue_policy: ["sqs:SetQueueAttributes"],
  aws_ssm_document: ["ssm:ModifyDocumentPermission"],
  // Associates a contact with an escalation plan, which is called and gets no access.
  aws_ssmcontacts_contact: [],
  aws_ssoadmin_customer_managed_policy_attachment: [
    "sso:AttachCustomerManagedPolicyReferenceToPermissionSet",
    "sso:DetachCustomerManagedPolicyReferenceFromPermissionSet",
  ],
  aws_ssoadmin_managed_policy_attachment: [
    "sso:AttachManagedPolicyToPermissionSet",
    "sso:DetachManagedPolicyFromPermissionSet",
  ],
  aws_ssoadmin_permission_set_inline_policy: ["sso:PutPermissionsPolicy"],
  aws_ssoadmin_permissions_boundary_attachment: [
    "sso:DeletePermissionsBoundaryFromPermissionSet",
    "sso:PutPermissionsBoundaryToPermissionSet",
  ],
  aws_vpc_endpoint_service: ["ec2:ModifyVpcEndpointServicePermissions"],
  aws_vpc_endpoint_service_allowed_principal: ["ec2:ModifyVpcEndpointServicePermissions"],
  aws_workspaces_directory: ["workspaces:ModifySelfservicePermissions"],
  // Encryption, not access.
  aws_xray_encryption_config: [],
  // Rules for passwords, not access.
  aws_iam_account_password_policy: [],
};

/** What a name suggests and the service's documentation does not confirm, with the reason. */
export const REMOVED: { readonly [reason: string]: readonly string[] } = {
  "filters and masks log data, or distributes it": [
    "aws_cloudwatch_log_data_protection_policy.policy_document",
    "aws_cloudwatch_log_index_policy.policy_document",
    "aws_sns_topic_data_protection_policy.policy",
  ],
  "routes network traffic": [
    "aws_networkmanager_core_network.base_policy_document",
    "aws_networkmanager_core_network_policy_attachment.policy_document",
  ],
  "deletes old images or data": ["aws_ecr_lifecycle_policy.policy", "aws_opensearchserverless_lifecycle_policy.policy"],
  "allows or blocks IP addresses of senders": ["aws_ses_receipt_filter.policy"],
  "names a policy of a load balancer": [
    "aws_load_balancer_backend_server_policy.policy_names",
    "aws_load_balancer_listener_policy.policy_names",
  ],
  "a role of a column in an analysis": [
    "aws_quicksight_analysis.definition",
    "aws_quicksight_dashboard.definition",
    "aws_quicksight_template.definition",
  ],
  "selects resources or findings": [
    "aws_imagebuilder_lifecycle_policy.policy_detail",
    "aws_securityhub_insight.filters",
  ],
  "identifies the project to Apple's or Google's service": ["aws_sns_platform_application.platform_principal"],
  "the receiver of positions or e-mail": [
    "aws_location_tracker_association.consumer_arn",
    "aws_ses_receipt_rule.workmail_action",
  ],
  "checks the policy before it is stored": ["aws_secretsmanager_secret_policy.block_public_policy"],
  "a role in a conversation or of a database endpoint": [
    "aws_bedrockagent_prompt.variant.template_configuration.chat.message.role",
    "aws_db_proxy_endpoint.target_role",
  ],
  "the actions of a user in a session of the application": ["aws_appstream_stack.user_settings.permission"],
  "a principal that can only retire the grant": ["aws_kms_grant.retiring_principal"],
  "POSIX permissions of files": ["aws_efs_access_point.root_directory.creation_info.permissions"],
};

/** Services of which no type performs an operation of access level "Permissions management". */
export const SERVICES_WITHOUT_TYPE =
  "aidevops appsync arc-region-switch aws-marketplace bedrock bedrock-agentcore billing cleanrooms-ml cloudformation cloudfront cloudhsm cloudwatch codeguru-profiler codestar codewhisperer datazone deadline ds ecs elasticloadbalancing entityresolution fsx grafana greengrass health identity-sync imagebuilder iotfleetwise license-manager managedblockchain mediatailor monitron mpa networkmanager notifications opensearch payment-cryptography qbusiness rds rds-db resource-explorer-2 route53-recovery-control-config route53globalresolver route53resolver s3-object-lambda s3files s3vectors securityhub sms-voice ssm-contacts ssm-incidents ssm-sap wafv2 wisdom xray".split(
    " ",
  );

/**
 * The operations of the other services that no type performs: the provider has no resource for them, calls another
 * operation with the same effect (`sns:SetTopicAttributes`), or the operation grants no access (encryption, rules for
 * passwords, associations with a web ACL).
 */
export const ACTIONS_WITHOUT_TYPE: { readonly [prefix: string]: string } = {
  apigateway:
    "DeletePortalProductSharingPolicy PutPortalProductSharingPolicy AddCertificateToDomain RejectAccessAssociation RemoveCertificateFromDomain SetWebACL UpdateDomainNameManagementPolicy",
  backup:
    "DeleteBackupVaultSharingPolicy ListIndexedRecoveryPointsForSearch PutBackupVaultSharingPolicy SearchRecoveryPoint",
  dynamodb: "UpdateAbacStatus",
  ec2: "AttachApplianceToNatGateway AttachResourcesToPlacementGroup CreateCoipPoolPermission CreateLocalGatewayRouteTablePermission CreateOdbNetworkPeering DeleteCoipPoolPermission DeleteLocalGatewayRouteTablePermission DeleteOdbNetworkPeering DeleteResourcePolicy DetachApplianceFromNatGateway DetachResourcesFromPlacementGroup ModifyOdbNetworkPeering PutResourcePolicy ResetSnapshotAttribute",
  elasticmapreduce: "DeleteWorkspaceAccess PutWorkspaceAccess",
  events: "DeleteResourcePolicy PutResourcePolicy",
  glacier: "SetDataRetrievalPolicy",
  glue: "BatchGetStageFiles DeregisterDataPreview DescribeConnectionType DescribeEntity GetDataPreviewStatement GetEnvironment GetExecutors GetExecutorsThreads GetLogParsingStatus GetNotebookInstanceStatus GetQueries GetQuery GetRecipeAction GetStage GetStageAttempt GetStageAttemptTaskList GetStageAttemptTaskSummary GetStageFiles GetStages GetStorage GetStorageUnit GlueNotebookAuthorize GlueNotebookRefreshCredentials ListConnectionTypes ListEntities ManagedConnector RefreshOAuth2Tokens RequestLogParsing RunDataPreviewStatement SendRecipeAction StartNotebook TerminateNotebook TestConnection UseGlueStudio",
  iam: "DeleteAccountPasswordPolicy SetDefaultPolicyVersion",
  iot: "AttachPrincipalPolicy DetachPrincipalPolicy SetDefaultAuthorizer SetDefaultPolicyVersion",
  lakeformation: "BatchGrantPermissions BatchRevokePermissions",
  lambda: "DisableReplication EnableReplication DeleteResourcePolicy PutResourcePolicy",
  quicksight:
    "AllowVendedLogDeliveryForResource UpdateExtensionPermissions DescribeKnowledgeBasePermissions DescribeSpacePermissions DescribeTopicPermissions UpdateActionConnectorPermissions UpdateAgentPermissions UpdateAppPermissions UpdateFlowPermissions UpdateKnowledgeBasePermissions UpdateSpacePermissions UpdateTopicPermissions",
  redshift: "AuthorizeSnapshotAccess CreateClusterUser JoinGroup RejectDataShare RevokeSnapshotAccess",
  s3: "AssociateAccessGrantsIdentityCenter BypassGovernanceRetention DissociateAccessGrantsIdentityCenter PutObjectVersionAcl",
  "s3-outposts": "PutObjectAcl",
  s3express: "DeleteBucketPolicy PutBucketPolicy",
  secretsmanager: "ValidateResourcePolicy",
  ses: "AllowVendedLogDeliveryForResource ApplyTrackingConfigurationOverrides ReplicateEmailIdentityDkimSigningKey",
  sns: "AddPermission RemovePermission",
  sqs: "AddPermission RemovePermission",
  ssm: "DeleteResourcePolicy PutResourcePolicy",
  "vpc-lattice":
    "AssociateViaAWSService AssociateViaAWSService-EventsAndStates CreateServiceNetworkVpcEndpointAssociation",
  waf: "DeletePermissionPolicy PutPermissionPolicy",
  "waf-regional": "DeletePermissionPolicy PutPermissionPolicy",
  workspaces: "UpdateConnectionAliasPermission UpdateWorkspaceImagePermission",
};
