# The Nomad agent of a single real machine: server and client in one, on the
# loopback address, for the jobs in jobs/. `drydock real up` runs it, with a file
# after it that says where its state is. To run it yourself, beside a Consul
# agent and with a folder for each of the volumes below:
#
#   nomad agent -config nomad.hcl
#
# On a cluster of several machines, take for each of them:
#   bind_addr                    an address that the others reach
#   bootstrap_expect             how many servers there are, three or five
#   client.meta.zone             the machine's availability zone
#   client.network_interface     leave it out
#   acl, tls                     on; see https://developer.hashicorp.com/nomad

data_dir  = "/var/lib/nomad"
bind_addr = "127.0.0.1" # there is no access control here: whoever reaches the API may run programs

disable_update_check = true # it needs no network

advertise {
  http = "127.0.0.1"
  rpc  = "127.0.0.1"
  serf = "127.0.0.1"
}

server {
  enabled          = true
  bootstrap_expect = 1

  # Jobs may use more memory than they reserve, up to their memory_max.
  default_scheduler_config {
    memory_oversubscription_enabled = true
  }
}

client {
  enabled = true

  # Ports of tasks are on the loopback address, too.
  network_interface = "{{ GetAllInterfaces | include \"flags\" \"loopback\" | include \"type\" \"ipv4\" | limit 1 | attr \"name\" }}"

  # What a task has to finish may take it longer than the usual 30 s.
  max_kill_timeout = "2m"

  # Where jobs that spread over zones find this machine, and where those that
  # keep data find the folders of the volumes below.
  meta {
    zone    = "a"
    volumes = "/var/lib/drydock"
  }

  # The folders of the jobs that keep data. They have to be there.
  host_volume "nats" {
    path = "/var/lib/drydock/nats"
  }

  host_volume "minio" {
    path = "/var/lib/drydock/minio"
  }

  host_volume "postgres" {
    path = "/var/lib/drydock/postgres"
  }

  options = {
    # Clouds' metadata services are not asked: elsewhere that takes long, and fails.
    "fingerprint.denylist" = "env_aws,env_gce,env_azure,env_digitalocean"
  }
}

# Programs of the machine, without isolation. The driver exec, which has them in
# a sandbox, is there by itself where the agent is root.
plugin "raw_exec" {
  config {
    enabled = true
  }
}

# Images, where Docker answers.
plugin "docker" {
  config {
    allow_privileged = false

    volumes {
      enabled = true # templates and host volumes are mounted
    }

    gc {
      image = false # images that were built here cannot be pulled again
    }

    extra_labels = ["job_name", "task_group_name", "task_name"]
  }
}

# Where jobs register their services and checks.
consul {
  address = "127.0.0.1:8500"
}

# For Prometheus, at /v1/metrics?format=prometheus.
telemetry {
  prometheus_metrics         = true
  publish_allocation_metrics = true
  publish_node_metrics       = true
  collection_interval        = "5s"
}
