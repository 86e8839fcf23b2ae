# MinIO: the object store. It tells NATS of each photograph that arrives, and
# gives each role a key that opens what the role needs and no more.
#
# A client that has the host volume runs it, and keeps the objects there. With
# three nodes it is one store over three clients, which outlives the loss of one.

variable "datacenters" {
  type        = list(string)
  default     = ["*"]
  description = "Where the servers may run."
}

variable "nodes" {
  type        = list(string)
  default     = []
  description = "For one store over three clients, which outlives the loss of one: their addresses, as 10.0.1.10. One whose volume is at another path than on the others has that behind it, as 10.0.1.10/mnt/minio. Empty: one server alone. Choose before there is data: one does not become the other."

  validation {
    condition     = length(var.nodes) == 0 || length(var.nodes) == 3 && length(distinct(var.nodes)) == 3
    error_message = "The nodes are three that differ, or none."
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
  default     = "minio"
  description = "The program: a name on the client's PATH, or an absolute path."
}

variable "mc" {
  type        = string
  default     = "mc"
  description = "MinIO's client, which prepares the store: a name on the client's PATH, or an absolute path."
}

variable "image" {
  type        = string
  default     = "minio/minio:RELEASE.2025-09-07T16-13-09Z"
  description = "The image, for the driver docker; it has mc too."
}

variable "user" {
  type        = string
  default     = ""
  description = "Whom servers run as, where Nomad runs as root; the volume's folder has to be theirs. Empty: as Nomad itself with raw_exec, as nobody with exec, as the image says with docker."
}

variable "volume" {
  type        = string
  default     = "minio"
  description = "The host volume of the objects. raw_exec mounts none: it takes the folder of that name in the one that the client's meta volumes names."
}

variable "api_port" {
  type        = number
  default     = 9000
  description = "The port for roles and browsers."
}

variable "bucket" {
  type        = string
  default     = "uploads"
  description = "The bucket of the roles."
}

variable "origins" {
  type        = string
  default     = "*"
  description = "The origins of pages that browsers may upload from, as https://photos.example.com,https://…; what they send has to be signed by the uploads API in any case."
}

variable "cpu" {
  type        = number
  default     = 300
  description = "The share of the processor, in MHz."
}

variable "memory" {
  type        = number
  default     = 1024
  description = "The memory that is set aside, in MB."
}

locals {
  docker    = var.driver == "docker"
  clustered = length(var.nodes) > 0
  data      = var.driver == "raw_exec" ? "$${meta.volumes}/${var.volume}" : "/data"
  prepare   = ["$${NOMAD_TASK_DIR}/prepare.sh"]

  # Where the objects are: one folder, or two on each client, of which any two
  # clients have enough. All servers have to be started with the same list.
  # Each is named by itself: with a pattern for those of a client, each client
  # would be a pool of its own, and nothing be kept on two.
  drives = local.clustered ? flatten([
    for node in var.nodes : [
      for drive in ["drive1", "drive2"] : format("http://%s:%d%s/%s", split("/", node)[0], var.api_port,
      length(split("/", node)) > 1 ? trimprefix(node, split("/", node)[0]) : local.data, drive)
    ]
  ]) : ["${local.data}/drive"]

  server = concat(["server", "--quiet", "--address", "$${NOMAD_ADDR_api}"], local.drives)

  # What each role may do with the objects below these prefixes of the bucket,
  # which it may list, too. A role that has no line here has no key.
  roles = {
    images  = { read = ["incoming/"], write = ["processed/"], delete = ["incoming/", "processed/"] }
    uploads = { read = ["incoming/", "processed/"], write = ["incoming/"], delete = ["incoming/", "processed/"] } # also by what it signs for browsers
  }

  bucket_arn = "arn:aws:s3:::${var.bucket}"
  policies = {
    for role, may in local.roles : role => jsonencode({
      Version = "2012-10-17"
      Statement = [
        { Effect = "Allow", Action = ["s3:ListBucket"], Resource = [local.bucket_arn] },
        { Effect = "Allow", Action = ["s3:GetObject"], Resource = [for prefix in may.read : "${local.bucket_arn}/${prefix}*"] },
        { Effect = "Allow", Action = ["s3:PutObject"], Resource = [for prefix in may.write : "${local.bucket_arn}/${prefix}*"] },
        { Effect = "Allow", Action = ["s3:DeleteObject"], Resource = [for prefix in may.delete : "${local.bucket_arn}/${prefix}*"] },
      ]
    })
  }
}

job "minio" {
  datacenters = var.datacenters
  type        = "service"

  meta {
    part       = "objects"
    repository = "https://github.com/drydock/drydock"
  }

  group "minio" {
    count = local.clustered ? length(var.nodes) : 1

    # Servers are replaced one by one.
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
      port "api" {
        static = var.api_port
      }
    }

    service {
      name     = "minio"
      port     = "api"
      provider = "consul"

      # Fails while the server cannot write: until it has found its data, and in
      # a cluster, enough of the others.
      check {
        name     = "ready"
        type     = "http"
        path     = local.clustered ? "/minio/health/cluster" : "/minio/health/ready"
        interval = "3s"
        timeout  = "3s"
      }

      # Fails until the task prepare has done its part.
      check {
        name     = "prepared"
        type     = "script"
        task     = "minio"
        command  = "sh"
        args     = ["-c", "test -e \"$NOMAD_ALLOC_DIR/data/prepared\""]
        interval = "3s"
        timeout  = "3s"
      }

      # Fails when the process hangs, which is then started again.
      check {
        name     = "live"
        type     = "http"
        path     = "/minio/health/live"
        interval = "5s"
        timeout  = "3s"

        check_restart {
          limit = 5
          grace = "60s"
        }
      }
    }

    task "minio" {
      driver       = var.driver
      user         = var.user
      kill_timeout = "30s"

      dynamic "config" {
        for_each = local.docker ? [] : [var.binary]

        content {
          command = config.value
          args    = local.server
        }
      }

      dynamic "config" {
        for_each = local.docker ? [var.image] : []

        content {
          image           = config.value
          args            = local.server
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

      # Events wait on the volume while NATS is away. Each is published once, or
      # twice with the same identity, to the one subject that MinIO can be given.
      env {
        MINIO_BROWSER               = "off"
        MINIO_UPDATE                = "off"
        MINIO_API_CORS_ALLOW_ORIGIN = var.origins

        # Drives on the system's own disk, which MinIO else refuses in a cluster
        # as nobody should lose both at once: where they have disks of their own, remove it.
        MINIO_CI_CD = local.clustered ? "1" : ""

        MINIO_NOTIFY_NATS_ENABLE_PRIMARY      = "on"
        MINIO_NOTIFY_NATS_SUBJECT_PRIMARY     = "objects.created"
        MINIO_NOTIFY_NATS_JETSTREAM_PRIMARY   = "on"
        MINIO_NOTIFY_NATS_QUEUE_DIR_PRIMARY   = "${local.data}/events"
        MINIO_NOTIFY_NATS_QUEUE_LIMIT_PRIMARY = "100000"
      }

      template {
        destination          = "secrets/minio.env"
        env                  = true
        perms                = "0600"
        change_mode          = "restart"
        splay                = "15s" # so that not all servers restart at a time
        error_on_missing_key = true

        data = <<-EOF
          {{ with nomadVar "nomad/jobs/minio" -}}
          MINIO_ROOT_USER={{ .root_user | toJSON }}
          MINIO_ROOT_PASSWORD={{ .root_password | toJSON }}
          MINIO_NOTIFY_NATS_ADDRESS_PRIMARY={{ .bus_address }}
          MINIO_NOTIFY_NATS_USERNAME_PRIMARY=minio
          MINIO_NOTIFY_NATS_PASSWORD_PRIMARY={{ .bus_password | toJSON }}
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

    # Makes the bucket, its notification and the keys, once the server runs, and
    # again when a key has changed. All of that may be there already, and NATS
    # need not be.
    task "prepare" {
      driver = var.driver

      lifecycle {
        hook    = "poststart"
        sidecar = true
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
          image        = config.value
          entrypoint   = ["sh"]
          args         = local.prepare
          network_mode = "host"
          cap_drop     = ["all"]
          security_opt = ["no-new-privileges"]
        }
      }

      env {
        MC            = local.docker ? "mc" : var.mc
        MC_CONFIG_DIR = "${NOMAD_SECRETS_DIR}/mc"
        BUCKET        = var.bucket
      }

      template {
        destination          = "secrets/prepare.env"
        env                  = true
        perms                = "0600"
        change_mode          = "restart"
        error_on_missing_key = true

        data = <<-EOF
          {{ with nomadVar "nomad/jobs/minio" -}}
          ROOT_USER={{ .root_user | toJSON }}
          ROOT_PASSWORD={{ .root_password | toJSON }}
          ${join("\n", [for role, policy in local.policies : "KEY_${role}={{ .key_${role} | toJSON }}"])}
          {{- end }}
        EOF
      }

      dynamic "template" {
        for_each = local.policies

        content {
          destination = "local/policies/${template.key}.json"
          change_mode = "noop"
          data        = template.value
        }
      }

      template {
        destination = "local/prepare.sh"
        change_mode = "noop"

        data = <<-EOF
          set -eu
          # Names and keys go by the standard input, which nobody else can see.
          pair() { printf '%s\n%s\n' "$1" "$2"; }
          left=30
          until pair "$ROOT_USER" "$ROOT_PASSWORD" | "$MC" alias set store "http://$NOMAD_ADDR_api"; do
            left=$((left - 1))
            [ "$left" -gt 0 ]
            sleep 1
          done
          "$MC" ready store
          "$MC" mb --ignore-existing "store/$BUCKET"
          "$MC" event add --ignore-existing --event put --prefix incoming/ "store/$BUCKET" arn:minio:sqs::PRIMARY:nats

          # role NAME KEY POLICY: a key for the role, changed if there is another
          # one. What is right is left alone: a server may refuse a key while it
          # is written anew.
          role() {
            has=$("$MC" admin user info store "$1" --json) || has=
            has=$${has#*\"policyName\":\"}
            has=$${has%%\"*}
            if [ "$has" = "$3" ] && pair "$1" "$2" | "$MC" alias set "$1" "http://$NOMAD_ADDR_api"; then
              return
            fi
            "$MC" admin policy create store "$3" "$NOMAD_TASK_DIR/policies/$1.json"
            pair "$1" "$2" | "$MC" admin user add store
            case ",$has," in
            *",$3,"*) ;;
            *) "$MC" admin policy attach store "$3" --user "$1" ;;
            esac
            for policy in $(echo "$has" | tr , ' '); do
              [ "$policy" = "$3" ] || "$MC" admin policy detach store "$policy" --user "$1"
            done
          }
          ${join("\n", [for role, policy in local.policies : "role ${role} \"$KEY_${role}\" ${role}-${substr(sha256(policy), 0, 8)}"])}
          touch "$NOMAD_ALLOC_DIR/data/prepared"
          echo "prepared"
          exec tail -f /dev/null # until a key changes
        EOF
      }

      logs {
        max_files     = 1
        max_file_size = 1
      }

      resources {
        cpu    = 50
        memory = 256
      }
    }
  }
}
