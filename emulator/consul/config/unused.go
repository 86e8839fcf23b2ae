package config

import (
	"slices"
	"strings"
)

// isUnused tells whether a setting, in the form a.b.c, is documented for Consul
// and has no meaning here.
func isUnused(setting string) bool {
	return slices.ContainsFunc(strings.Fields(unusedSettings), func(name string) bool {
		return setting == name || strings.HasPrefix(setting, name+".")
	})
}

// unusedSettings are the names; all that is below one of them is unused too.
const unusedSettings = `
acl.disabled_ttl acl.down_policy acl.enable_token_persistence acl.enable_token_replication acl.msp_disable_bootstrap
acl.policy_ttl acl.role_ttl acl.token_ttl acl.tokens.agent_master acl.tokens.agent_recovery acl.tokens.config_file_service_registration
acl.tokens.dns acl.tokens.managed_service_provider acl.tokens.replication
acl_agent_master_token acl_agent_token acl_down_policy acl_enable_key_list_policy acl_master_token acl_replication_token acl_token acl_ttl
addresses.grpc addresses.grpc_tls
advertise_addr_ipv4 advertise_addr_ipv6 advertise_addr_wan advertise_addr_wan_ipv4 advertise_addr_wan_ipv6 advertise_reconnect_timeout
allow_write_http_from alt_domain audit auto_config auto_encrypt auto_reload_config auto_reload_config_coalesce_interval autopilot
bootstrap bootstrap_expect ca_path cache check_output_max_size check_reap_interval check_update_interval cloud config_entries
connect.ca_leaf_root_change_spread connect.enable_mesh_gateway_wan_federation connect.enable_serverless_plugin
connect.test_ca_leaf_root_change_spread connect.virtual_ip_cidr_v4 connect.virtual_ip_cidr_v6
default_intention_policy default_query_time disable_anonymous_signature disable_coordinates disable_host_node_id
disable_http_unprintable_char_filter disable_keyring_file disable_remote_exec disable_update_check discard_check_output
discovery_max_stale dns_config domain enable_acl_replication enable_agent_tls_for_checks enable_central_service_config
enable_syslog encrypt_verify_incoming encrypt_verify_outgoing experiments gossip_lan gossip_wan http_config
leave_on_terminate license_path limits log_rotate_bytes log_rotate_duration log_rotate_max_files max_query_time non_voting_server
partition peering performance ports.grpc ports.grpc_tls ports.expose_max_port ports.expose_min_port ports.proxy_max_port ports.proxy_min_port primary_gateways
primary_gateways_interval protocol raft_boltdb raft_logstore raft_protocol raft_prevote_disabled raft_snapshot_interval
raft_snapshot_threshold raft_trailing_logs read_replica reconnect_timeout reconnect_timeout_wan recursors rejoin_after_leave
reporting retry_join retry_join_wan retry_interval retry_interval_wan retry_max retry_max_wan rpc segment segments serf_lan serf_lan_allowed_cidrs
serf_wan serf_wan_allowed_cidrs server_name server_rejoin_age_max session_ttl_min skip_leave_on_interrupt syslog_facility
telemetry tls.defaults.ca_path tls.defaults.tls_cipher_suites tls.defaults.tls_min_version tls.defaults.use_auto_cert
tls.defaults.verify_outgoing tls.defaults.verify_server_hostname tls.grpc tls.https.ca_path tls.https.tls_cipher_suites
tls.https.tls_min_version tls.https.verify_outgoing tls.internal_rpc tls_cipher_suites tls_min_version
tls_prefer_server_cipher_suites translate_wan_addrs ui ui_config ui_content_path ui_dir unix_sockets use_streaming_backend
verify_incoming_rpc verify_outgoing verify_server_hostname version watches xds`

// distinct sorts names and drops those that are there twice.
func distinct(names []string) []string {
	slices.Sort(names)
	return slices.Compact(names)
}
