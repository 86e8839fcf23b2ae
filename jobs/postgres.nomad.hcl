# PostgreSQL: a database for services that want SQL. One server, on a client
# that has the host volume, which keeps its data there.

variable "datacenters" {
  type        = list(string)
  default     = ["*"]
  description = "Where the server may run."
}

variable "driver" {
  type        = string
  default     = "raw_exec"
  description = "How the server runs: raw_exec and exec start the binary, docker the image."

  validation {
    condition     = contains(["raw_exec", "exec", "docker"], var.driver)
    error_message = "The driver is raw_exec, exec or docker."
  }
}

variable "binary" {
  type        = string
  default     = "postgres"
  description = "The program: a name on the client's PATH, or an absolute path; initdb and pg_isready have to be beside it."
}

variable "image" {
  type        = string
  default     = "postgres:15.18-bookworm"
  description = "The image, for the driver docker. Another major version than that of the data does not start."
}

variable "user" {
  type        = string
  default     = "postgres"
  description = "Whom the server runs as; never root, which it refuses. Empty, as Nomad itself, where Nomad does not run as root."
}

variable "volume" {
  type        = string
  default     = "postgres"
  description = "The host volume of the data. raw_exec mounts none: it takes the folder of that name in the one that the client's meta volumes names."
}

variable "client_port" {
  type        = number
  default     = 5432
  description = "The port for clients."
}

variable "max_connections" {
  type        = number
  default     = 100
  description = "How many clients may be connected at once."
}

variable "cpu" {
  type        = number
  default     = 300
  description = "The share of the processor, in MHz."
}

variable "memory" {
  type        = number
  default     = 512
  description = "The memory that is set aside, in MB; a quarter of it holds pages of the tables."
}

locals {
  docker  = var.driver == "docker"
  volume  = var.driver == "raw_exec" ? "$${meta.volumes}/${var.volume}" : "/data"
  prepare = ["$${NOMAD_TASK_DIR}/prepare.sh"]

  # What is acknowledged is on the disk: fsync and synchronous_commit are on by
  # PostgreSQL's own defaults, and stay so.
  server = [
    "$${NOMAD_TASK_DIR}/start.sh",
    "-D", "${local.volume}/data",
    "-c", "listen_addresses=$${NOMAD_IP_client}",
    "-c", "port=$${NOMAD_PORT_client}",
    "-c", "unix_socket_directories=",
    "-c", "hba_file=$${NOMAD_TASK_DIR}/pg_hba.conf",
    "-c", "max_connections=${var.max_connections}",
    "-c", "shared_buffers=${floor(var.memory / 4)}MB",
  ]
}

job "postgres" {
  datacenters = var.datacenters
  type        = "service"

  meta {
    part       = "database"
    repository = "https://github.com/drydock/drydock"
  }

  group "postgres" {
    update {
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

    # A client that is cut off keeps its server, and nothing takes its place
    # before it is clear that it stays away.
    disconnect {
      lost_after = "1h"
      replace    = false
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
    }

    service {
      name     = "postgres"
      port     = "client"
      provider = "consul"

      # Fails while the server starts, recovers or stops.
      check {
        name     = "ready"
        type     = "script"
        task     = "postgres"
        command  = "sh"
        args     = ["$${NOMAD_TASK_DIR}/ready.sh"]
        interval = "3s"
        timeout  = "5s"
      }
    }

    # Makes the database where there is none yet.
    task "prepare" {
      driver = var.driver
      user   = var.user == "" ? "" : "root" # which gives the volume to the server's user

      lifecycle {
        hook = "prestart"
      }

      dynamic "config" {
        for_each = local.docker ? [] : ["sh"]

        content {
          command = config.value
          args    = local.prepare
        }
      }

      dynamic "config" {
        for_each = local.docker ? [var.image] : []

        content {
          image      = config.value
          entrypoint = ["sh"]
          args       = local.prepare
        }
      }

      dynamic "volume_mount" {
        for_each = var.driver == "raw_exec" ? [] : [local.volume]

        content {
          volume      = "data"
          destination = volume_mount.value
        }
      }

      env {
        VOLUME  = local.volume
        OWNER   = var.user
        PROGRAM = local.docker ? "postgres" : var.binary
      }

      template {
        destination = "local/prepare.sh"

        data = <<-EOF
          set -eu
          umask 077
          program=$(readlink -f "$(command -v "$PROGRAM")")
          data=$VOLUME/data

          # What the server's user has to do itself; root gives it the volume first.
          as() { "$@"; }
          if [ "$(id -u)" = 0 ]; then
            as() { setpriv --reuid="$OWNER" --regid="$(id -g "$OWNER")" --init-groups "$@"; }
            install -d -o "$OWNER" -m 0700 "$VOLUME"
          fi
          cd "$VOLUME"

          # Made beside its place, so that what is in its place is complete.
          if [ ! -d "$data" ]; then
            as rm -rf "$data.new"
            as "$(dirname "$program")/initdb" --pgdata="$data.new" --username=postgres \
              --encoding=UTF8 --locale=C.UTF-8 --data-checksums --auth=reject --no-instructions
            as mv "$data.new" "$data"
          fi
        EOF
      }

      resources {
        cpu    = 50
        memory = 256
      }
    }

    task "postgres" {
      driver       = var.driver
      user         = var.user
      kill_signal  = "SIGINT" # PostgreSQL's fast shutdown: clients are cut off, nothing has to recover
      kill_timeout = "60s"

      dynamic "config" {
        for_each = local.docker ? [] : ["sh"]

        content {
          command = config.value
          args    = local.server
        }
      }

      dynamic "config" {
        for_each = local.docker ? [var.image] : []

        content {
          image        = config.value
          entrypoint   = ["sh"]
          args         = local.server
          network_mode = "host"
          shm_size     = floor(var.memory / 4) * 1024 * 1024 # bytes
          cap_drop     = ["all"]
          security_opt = ["no-new-privileges"]
        }
      }

      dynamic "volume_mount" {
        for_each = var.driver == "raw_exec" ? [] : [local.volume]

        content {
          volume      = "data"
          destination = volume_mount.value
        }
      }

      env {
        VOLUME  = local.volume
        PROGRAM = local.docker ? "postgres" : var.binary
      }

      template {
        destination          = "secrets/password.env"
        env                  = true
        perms                = "0600"
        change_mode          = "restart"
        error_on_missing_key = true

        data = <<-EOF
          {{ with nomadVar "nomad/jobs/postgres" -}}
          PASSWORD={{ .password.Value | toJSON }}
          {{- end }}
        EOF
      }

      # Has the password be that of the Nomad variable, in PostgreSQL's own
      # single-user mode, which takes no connections; then starts the server.
      template {
        destination = "local/start.sh"

        data = <<-EOF
          set -eu
          program=$(readlink -f "$(command -v "$PROGRAM")")
          {
            printf "ALTER ROLE postgres PASSWORD '"
            printf %s "$PASSWORD" | sed "s/'/''/g"
            printf "'"
          } | "$program" --single -D "$VOLUME/data" -c exit_on_error=on -c log_min_error_statement=panic postgres >/dev/null
          unset PASSWORD
          exec "$program" "$@"
        EOF
      }

      # Who may connect: everybody who knows the password, which is never sent.
      template {
        destination   = "local/pg_hba.conf"
        change_mode   = "signal"
        change_signal = "SIGHUP"
        data          = "host all all all scram-sha-256\n"
      }

      template {
        destination = "local/ready.sh"
        change_mode = "noop"

        data = <<-EOF
          program=$(readlink -f "$(command -v "$PROGRAM")")
          exec "$(dirname "$program")/pg_isready" -h "$NOMAD_IP_client" -p "$NOMAD_PORT_client" -t 2
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
