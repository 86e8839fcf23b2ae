# The Consul server of zone {{ .Zone }}.
datacenter = "dc1"
node_name  = "consul-{{ .Zone }}"
data_dir   = "{{ .Data }}"
log_level  = "INFO"

server           = true
bootstrap_expect = {{ len .Servers }}
retry_join       = {{ list .Servers "" }}
retry_interval   = "1s"

bind_addr   = "{{ .Address }}"
client_addr = "{{ .Address }} 127.0.0.1"

ports {
  dns      = 53 # where the zone's resolv.conf sends every question
  grpc     = -1
  grpc_tls = -1
}

# A zone answers for the others for as long as it takes; nothing is asked of the
# world outside.
recursors = []

dns_config {
  allow_stale = true
}

# As fast as it gets: a leader that is gone is replaced within some 3 s.
performance {
  raft_multiplier = 1
}

# A zone that is stopped comes back: it stays a member of the quorum, which a
# second zone could not leave otherwise.
autopilot {
  min_quorum = {{ len .Servers }}
}

leave_on_terminate   = false
disable_update_check = true

ui_config {
  enabled = true
}
