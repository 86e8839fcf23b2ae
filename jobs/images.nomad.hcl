# The images worker: makes the variants of every picture that is uploaded.

variable "datacenters" {
  type        = list(string)
  default     = ["*"]
  description = "Where the worker may run."
}

variable "count" {
  type        = number
  default     = 1
  description = "How many instances share the work."

  validation {
    condition     = var.count >= 0 && var.count <= 100
    error_message = "The count is a number from 0 to 100."
  }
}

variable "driver" {
  type        = string
  default     = "raw_exec"
  description = "How instances run: raw_exec and exec start the binary, docker the image."

  validation {
    condition     = contains(["raw_exec", "exec", "docker"], var.driver)
    error_message = "The driver is raw_exec, exec or docker."
  }
}

variable "binary" {
  type        = string
  default     = "drydock-images"
  description = "The program: a name on the client's PATH, or an absolute path; with exec, of what the client puts into its chroot."
}

variable "image" {
  type        = string
  default     = "drydock-images:local"
  description = "The image, for the driver docker."
}

variable "user" {
  type        = string
  default     = ""
  description = "Whom instances run as, as nobody, where Nomad runs as root. Empty: as Nomad itself with raw_exec, as nobody with exec, as the image says with docker."
}

variable "version" {
  type        = string
  default     = "dev"
  description = "Which release this is, for tags and meta: a new one is deployed even if nothing else has changed."
}

variable "canaries" {
  type        = number
  default     = 0
  description = "How many instances of a new version run beside the old ones until somebody promotes it with `nomad deployment promote`: as many as count is blue-green. 0: they are replaced one by one, and nobody has to. Keep to one of the two from version to version."

  validation {
    condition     = var.canaries >= 0 && floor(var.canaries) == var.canaries
    error_message = "The canaries are a number from 0 on."
  }
}

variable "cpu" {
  type        = number
  default     = 300
  description = "The processor time that is set aside, in MHz; instances use what is free."
}

variable "memory" {
  type        = number
  default     = 512
  description = "The memory that is set aside, in MB: enough for ordinary photographs."
}

variable "memory_max" {
  type        = number
  default     = 3072
  description = "The memory that instances may use where the cluster lets them, in MB: the worker logs its own bound for the worst pictures."
}

job "images" {
  datacenters = var.datacenters
  type        = "service"

  meta {
    version    = var.version
    repository = "https://github.com/drydock/drydock"
  }

  group "images" {
    count          = var.count
    shutdown_delay = "3s" # between leaving Consul and the stop, so that nobody calls what is gone

    # A version of which one instance does not become ready is taken back at once.
    update {
      max_parallel      = 1
      canary            = var.canaries
      health_check      = "checks"
      min_healthy_time  = "5s"
      healthy_deadline  = "2m"
      progress_deadline = "0s" # one that finds no place waits for it
      auto_revert       = true
      auto_promote      = false
    }

    # What fails is started again at once, and elsewhere if that does not help.
    restart {
      attempts = 3
      interval = "1m"
      delay    = "1s"
      mode     = "fail"
    }

    reschedule {
      delay          = "5s"
      delay_function = "exponential"
      max_delay      = "2m"
      unlimited      = true
    }

    # When a client is drained, one instance at a time moves.
    migrate {
      max_parallel     = 1
      health_check     = "checks"
      min_healthy_time = "5s"
      healthy_deadline = "2m"
    }

    # When a client is cut off, others take over, and the better ones stay once it is back.
    disconnect {
      lost_after = "1h"
      replace    = true
      reconcile  = "best_score"
    }

    spread {
      attribute = "${meta.zone}"
    }

    # For `nomad job scale`, and for the Nomad Autoscaler once it is enabled.
    scaling {
      enabled = false
      min     = 0
      max     = 100

      policy {
        cooldown            = "1m"
        evaluation_interval = "10s"

        check "cpu" {
          source = "nomad-apm"
          query  = "avg_cpu"

          strategy "target-value" {
            target = 70
          }
        }
      }
    }

    network {
      port "http" {}
    }

    service {
      name        = "images"
      port        = "http"
      provider    = "consul"
      tags        = ["version-${var.version}"]
      canary_tags = ["version-${var.version}", "canary"]

      meta {
        version = var.version
      }

      # Fails while the bus or the object store is away, and while the instance stops.
      check {
        name     = "ready"
        type     = "http"
        path     = "/health/ready"
        interval = "3s"
        timeout  = "3s"
      }

      # Fails when the process hangs, which is then started again.
      check {
        name     = "live"
        type     = "http"
        path     = "/health/live"
        interval = "5s"
        timeout  = "3s"

        check_restart {
          limit = 3
          grace = "45s"
        }
      }
    }

    task "images" {
      driver       = var.driver
      user         = var.user
      kill_timeout = "30s" # longer than the worker's drain of 20s

      dynamic "config" {
        for_each = var.driver == "docker" ? [] : [var.binary]

        content {
          command = config.value
        }
      }

      dynamic "config" {
        for_each = var.driver == "docker" ? [var.image] : []

        content {
          image           = config.value
          network_mode    = "host"
          readonly_rootfs = true
          cap_drop        = ["all"]
          security_opt    = ["no-new-privileges"]

          mount {
            type   = "tmpfs"
            target = "/tmp"

            tmpfs_options {
              size = 1073741824 # bytes: the originals that are in work
            }
          }
        }
      }

      env {
        DRYDOCK_LISTEN   = "${NOMAD_ADDR_http}"
        DRYDOCK_VARIANTS = "${NOMAD_TASK_DIR}/variants.json"
      }

      # The variants: change them here. A width or height of 0 is free, a crop
      # fills the box, and nothing is ever enlarged. AVIF and JPEG are the other formats.
      template {
        destination = "local/variants.json"
        change_mode = "restart"
        splay       = "15s"

        data = <<-EOF
          [
            {"name": "thumb", "width": 160, "height": 160, "crop": "attention", "format": "webp"},
            {"name": "small", "width": 640, "format": "webp"},
            {"name": "large", "width": 1280, "format": "webp"}
          ]
        EOF
      }

      # Where the bus and the objects are, and the keys to them.
      template {
        destination          = "secrets/cloud.env"
        env                  = true
        perms                = "0600"
        change_mode          = "restart"
        splay                = "15s" # so that not all instances restart at a time
        error_on_missing_key = true

        data = <<-EOF
          {{ with nomadVar "nomad/jobs/images" -}}
          DRYDOCK_BUS={{ .bus }}
          DRYDOCK_OBJECTS={{ .objects }}
          AWS_ACCESS_KEY_ID={{ .access_key }}
          AWS_SECRET_ACCESS_KEY={{ .secret_key }}
          {{- end }}
        EOF
      }

      logs {
        max_files     = 3
        max_file_size = 10
      }

      resources {
        cpu        = var.cpu
        memory     = var.memory
        memory_max = var.memory_max
      }
    }
  }
}
