# NATS with JetStream: the event bus, the records and the schedules of every role.
#
# A client that has the host volume runs it, and keeps its data there. With a
# count of three it is a cluster over three clients, whose streams outlive the
# loss of one: the roles ask for that with ?replicas=3 at the end of their bus.

variable "datacenters" {
  type        = list(string)
  default     = ["*"]
  description = "Where the servers may run."
}

variable "count" {
  type        = number
  default     = 1
  description = "How many servers there are: 1 alone, or a cluster of 3 or 5, each on a client of its own. Choose before there is data: one that was alone takes none of it into a cluster."

  validation {
    condition     = contains([1, 3, 5], var.count)
    error_message = "The count is 1, 3 or 5."
  }
}

variable "driver" {
  type        = string
  default     = "raw_exec"
  description = "How servers run: raw_exec and exec start the binary, docker the image."

  validation {
    condition     = contains(["raw_exec", "exec", "docker"], var.driver)
    error_message = "The driver is raw_exec, exec or docker."
  }
}

variable "binary" {
  type        = string
  default     = "nats-server"
  description = "The program, 2.14 or newer: a name on the client's PATH, or an absolute path."
}

variable "image" {
  type        = string
  default     = "nats:2.15.2"
  description = "The image, 2.14 or newer, for the driver docker."
}

variable "user" {
  type        = string
  default     = ""
  description = "Whom servers run as, where Nomad runs as root; the volume's folder has to be theirs. Empty: as Nomad itself with raw_exec, as nobody with exec, as the image says with docker."
}

variable "volume" {
  type        = string
  default     = "nats"
  description = "The host volume of the data. raw_exec mounts none: it takes the folder of that name in the one that the client's meta volumes names."
}

variable "client_port" {
  type        = number
  default     = 4222
  description = "The port for the roles."
}

variable "cluster_port" {
  type        = number
  default     = 6222
  description = "The port of the servers of a cluster for each other."
}

variable "monitor_port" {
  type        = number
  default     = 8222
  description = "The port for health checks and metrics, where everybody may read who does what: not for the internet."
}

variable "max_file_store" {
  type        = string
  default     = "10GB"
  description = "What the streams of one server may take of its disk."
}

variable "max_memory_store" {
  type        = string
  default     = "64MB"
  description = "What streams may take of one server's memory; the roles have none there."
}

variable "cpu" {
  type        = number
  default     = 300
  description = "The share of the processor, in MHz."
}

variable "memory" {
  type        = number
  default     = 512
  description = "The memory that is set aside, in MB; the server stays below it as long as it can."
}

locals {
  clustered = var.count > 1
  data      = var.driver == "raw_exec" ? "$${meta.volumes}/${var.volume}" : "/data"
  config    = ["-c", "$${NOMAD_SECRETS_DIR}/nats.conf"]

  # What each role does: the topics that it publishes, the streams that it
  # reads or publishes to, and the collections of its records. A role that has
  # no line here cannot connect.
  roles = {
    alerts      = { topics = [], streams = ["alerts"], records = ["alerts", "alert-keys", "mail", "quotes"] }
    deadletters = { topics = ["*.redrive.>", "deadletters.>"], streams = ["*"], records = [] }
    filter      = { topics = ["alerts.triggered.*"], streams = ["alerts", "quotes"], records = ["alerts", "alert-states"] }
    images      = { topics = ["images.processed.*", "images.rejected.*", "deadletters.objects.>"], streams = ["objects", "images", "deadletters"], records = ["uploads"] }
    mailer      = { topics = ["mail.digests", "deadletters.>"], streams = ["alerts", "mail", "schedules", "deadletters"], records = ["alerts", "mail"] }
    quotes      = { topics = ["quotes.>", "deadletters.schedules.>"], streams = ["quotes", "schedules", "deadletters"], records = ["quotes"] }
    uploads     = { topics = ["objects.created"], streams = ["objects"], records = ["uploads"] }
    webhooks    = { topics = ["deadletters.alerts.>"], streams = ["alerts", "deadletters"], records = ["alerts"] }
  }

  # Streams are created and read by whoever needs them, and removed by nobody.
  reads = ["STREAM.INFO.%s", "STREAM.CREATE.%s", "STREAM.MSG.GET.%s", "DIRECT.GET.%s", "DIRECT.GET.%s.>", "CONSUMER.*.%s.>", "CONSUMER.MSG.NEXT.%s.>"]

  # What only some do: declare schedules, and take letters away.
  more = {
    deadletters = ["$JS.API.STREAM.UPDATE.deadletters", "$JS.API.STREAM.PURGE.deadletters", "$JS.API.STREAM.MSG.DELETE.deadletters"]
    mailer      = ["$DRYDOCK.schedules.digests", "$JS.API.STREAM.UPDATE.schedules"]
    quotes      = ["$DRYDOCK.schedules.quotes", "$JS.API.STREAM.UPDATE.schedules"]
  }

  publish = merge(
    { minio = ["objects.created"] }, # as the object store, it tells of what arrives, and no more
    {
      for role, does in local.roles : role => concat(
        does.topics,
        [for name in does.records : "$KV.${name}.>"],
        [for each in setproduct(local.reads, concat(does.streams, [for name in does.records : "KV_${name}"])) : "$JS.API.${format(each[0], each[1])}"],
        lookup(local.more, role, []),
        ["$JS.API.INFO", "$JS.ACK.>", "$JS.FC.>"],
      )
    },
  )
}

job "nats" {
  datacenters = var.datacenters
  type        = "service"

  meta {
    part       = "events"
    repository = "https://github.com/drydock/drydock"
  }

  group "nats" {
    count = var.count

    # Servers are replaced one by one, the next once all streams of the last are up to date.
    update {
      max_parallel      = 1
      health_check      = "checks"
      min_healthy_time  = "3s"
      healthy_deadline  = "5m"
      progress_deadline = "10m"
      auto_revert       = true
    }

    # A server that fails starts again where its data is; nowhere else is it of use.
    restart {
      attempts = 10
      interval = "1m"
      delay    = "2s"
      mode     = "delay"
    }

    migrate {
      max_parallel     = 1
      health_check     = "checks"
      min_healthy_time = "3s"
      healthy_deadline = "5m"
    }

    # A client that is cut off keeps its server, and nothing takes its place
    # before it is clear that it stays away: the others go on without it.
    disconnect {
      lost_after = "1h"
      replace    = false
    }

    spread {
      attribute = "${meta.zone}"
    }

    constraint {
      operator = "distinct_hosts"
      value    = "true"
    }

    # raw_exec finds the volume by the client's meta.
    dynamic "constraint" {
      for_each = var.driver == "raw_exec" ? ["volumes"] : []

      content {
        attribute = "$${meta.volumes}"
        operator  = "is_set"
      }
    }

    volume "data" {
      type   = "host"
      source = var.volume
    }

    network {
      port "client" {
        static = var.client_port
      }

      port "monitor" {
        static = var.monitor_port
      }

      dynamic "port" {
        for_each = local.clustered ? ["cluster"] : []
        labels   = [port.value]

        content {
          static = var.cluster_port
        }
      }
    }

    service {
      name     = "nats"
      port     = "client"
      provider = "consul"

      # Fails until JetStream has found its streams again, and on a server that
      # is cut off from the majority of its cluster.
      check {
        name     = "ready"
        type     = "http"
        port     = "monitor"
        path     = "/healthz?js-server-only=true"
        interval = "3s"
        timeout  = "3s"
      }
    }

    # How the servers of a cluster find each other. Its check is for updates: it
    # fails until every stream and consumer of the server is up to date.
    dynamic "service" {
      for_each = local.clustered ? ["nats-cluster"] : []

      content {
        name     = service.value
        port     = "cluster"
        provider = "consul"

        check {
          name     = "up to date"
          type     = "http"
          port     = "monitor"
          path     = "/healthz"
          interval = "3s"
          timeout  = "3s"
        }
      }
    }

    task "nats" {
      driver = var.driver
      user   = var.user

      # In a cluster a server leaves slowly: it hands its streams over, and its
      # clients one by one. Nomad's clients allow 30s unless max_kill_timeout says more.
      kill_signal  = local.clustered ? "SIGUSR2" : "SIGTERM"
      kill_timeout = local.clustered ? "40s" : "20s"

      dynamic "config" {
        for_each = var.driver == "docker" ? [] : [var.binary]

        content {
          command = config.value
          args    = local.config
        }
      }

      dynamic "config" {
        for_each = var.driver == "docker" ? [var.image] : []

        content {
          image           = config.value
          args            = local.config
          network_mode    = "host"
          readonly_rootfs = true
          cap_drop        = ["all"]
          security_opt    = ["no-new-privileges"]
        }
      }

      dynamic "volume_mount" {
        for_each = var.driver == "raw_exec" ? [] : [local.data]

        content {
          volume      = "data"
          destination = volume_mount.value
        }
      }

      env {
        DATA       = local.data
        GOMEMLIMIT = "${floor(var.memory * 0.9)}MiB"
      }

      # What is acknowledged is on the disk: sync_interval. The server's name has
      # to stay with its data, as that of the client does.
      template {
        destination          = "secrets/nats.conf"
        perms                = var.user == "" && var.driver == "raw_exec" ? "0600" : "0644"
        change_mode          = "signal"
        change_signal        = "SIGHUP"
        splay                = "1s"
        error_on_missing_key = true

        data = <<-EOF
          server_name: {{ printf "%q" (env "node.unique.name") }}
          listen: "{{ env "NOMAD_ADDR_client" }}"
          http: "{{ env "NOMAD_ADDR_monitor" }}"
          lame_duck_grace_period: "2s"
          lame_duck_duration: "30s"

          jetstream: {
            store_dir: {{ printf "%q" (env "DATA") }}
            sync_interval: always
            max_file_store: ${var.max_file_store}
            max_memory_store: ${var.max_memory_store}
          }

          include "users.conf"
          %{~if local.clustered~}

          {{ with $items := nomadVar "nomad/jobs/nats" -}}
          cluster: {
            name: drydock
            listen: "{{ env "NOMAD_ADDR_cluster" }}"
            authorization: { user: routes, password: {{ printf "%q" $items.routes.Value }} }
            routes: [
              {{- range service "nats-cluster|any" }}
              "nats://routes:{{ urlquery $items.routes.Value }}@{{ .Address }}:{{ .Port }}"
              {{- end }}
            ]
          }
          {{- end }}
          %{~endif~}
        EOF
      }

      # The passwords that there are: of the roles, and of system, which may look
      # into the server itself. A changed one is taken without a restart. The
      # answers to a role come to an inbox that no other can read; those to MinIO,
      # which has no name for its own, to the usual one.
      template {
        destination   = "secrets/users.conf"
        perms         = var.user == "" && var.driver == "raw_exec" ? "0600" : "0644"
        change_mode   = "signal"
        change_signal = "SIGHUP"
        splay         = "1s"

        data = <<-EOF
          {{ with nomadVar "nomad/jobs/nats" -}}
          accounts: {
            SYS: {
              users: [
                {{- with .system.Value }}
                { user: system, password: {{ printf "%q" . }} }
                {{- end }}
              ]
            }
            DRYDOCK: {
              jetstream: enabled
              users: [
                %{~for user, subjects in local.publish~}
                {{- with .${user}.Value }}
                {
                  user: ${user}, password: {{ printf "%q" . }}
                  permissions: { subscribe: "_INBOX${user == "minio" ? "" : "_${user}"}.>", publish: ["${join("\", \"", subjects)}"] }
                }
                {{- end }}
                %{~endfor~}
              ]
            }
          }
          system_account: SYS
          {{- end }}
        EOF
      }

      logs {
        max_files     = 3
        max_file_size = 10
      }

      resources {
        cpu    = var.cpu
        memory = var.memory
      }
    }
  }
}
