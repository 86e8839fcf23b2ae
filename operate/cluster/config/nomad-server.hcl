# The Nomad server of zone {{ .Zone }}.
region     = "global"
datacenter = "dc1"
name       = "server-{{ .Zone }}"
data_dir   = "{{ .Data }}"
log_level  = "INFO"
bind_addr  = "0.0.0.0"

advertise {
  http = "{{ .Address }}"
  rpc  = "{{ .Address }}"
  serf = "{{ .Address }}"
}

server {
  enabled          = true
  bootstrap_expect = {{ len .Servers }}
  raft_multiplier  = 1 # a leader that is gone is replaced within some 3 s

  # A node that is silent for 5 to 10 s after its last heartbeat, which it sends
  # every 5 to 10 s or sooner, is lost: its tasks run elsewhere after 10 to 20 s.
  min_heartbeat_ttl = "5s"
  heartbeat_grace   = "5s"

  # The same when the leader is lost with it: a new one gives all nodes this
  # long to be heard of, which is 5 minutes where nothing is said.
  failover_heartbeat_ttl = "12s"

  # Jobs may use more memory than they reserve, up to their memory_max.
  default_scheduler_config {
    memory_oversubscription_enabled = true
  }

  server_join {
    retry_join     = {{ list .Servers ":4648" }}
    retry_interval = "1s"
  }
}

autopilot {
  min_quorum = {{ len .Servers }} # a zone that is stopped comes back
}

# The zone's own; the servers find each other by their addresses.
consul {
  address          = "127.0.0.1:8500"
  server_auto_join = false
  client_auto_join = false
}

disable_update_check = true
