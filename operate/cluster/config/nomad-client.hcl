# The Nomad client of zone {{ .Zone }}.
region     = "global"
datacenter = "dc1"
name       = "node-{{ .Zone }}"
data_dir   = "{{ .Data }}"
log_level  = "INFO"
bind_addr  = "0.0.0.0"

# The ports of the zone's server are the usual ones.
ports {
  http = 5646
  rpc  = 5647
}

advertise {
  http = "{{ .Address }}"
  rpc  = "{{ .Address }}"
}

client {
  enabled           = true
  servers           = {{ list .Servers ":4647" }}
  network_interface = "{{ .Link }}"

  # The zones are one machine: what jobs ask for is divided among them, not kept
  # for them, and two zones have room for what runs in three.
  cpu_total_compute = 20000

  # Jobs may ask for more time to end than the 30 s that Nomad allows by itself.
  max_kill_timeout = "2m"

  meta {
    zone    = "{{ .Zone }}"
    volumes = "{{ .Volumes }}" # where tasks of raw_exec find the host volumes
  }

  # What looks for a cloud around it would wait for answers that never come.
  options = {
    "fingerprint.denylist" = "env_aws,env_gce,env_azure,env_digitalocean"
  }
{{ range .VolumeNames }}
  host_volume "{{ . }}" {
    path = "{{ $.Volumes }}/{{ . }}"
  }
{{ end }}}

plugin "raw_exec" {
  config {
    enabled = true
  }
}

consul {
  address          = "127.0.0.1:8500"
  server_auto_join = false
  client_auto_join = false
}

disable_update_check = true
