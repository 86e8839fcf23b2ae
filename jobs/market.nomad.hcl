# A market feed of made-up prices, for clusters that have no market-data vendor:
# where there is one, leave this job out, and name the vendor in the variables
# of the jobs quotes and alerts.

variable "datacenters" {
  type        = list(string)
  default     = ["*"]
  description = "Where it may run."
}

variable "driver" {
  type        = string
  default     = "raw_exec"
  description = "How it runs: raw_exec and exec start the binary, docker the image."

  validation {
    condition     = contains(["raw_exec", "exec", "docker"], var.driver)
    error_message = "The driver is raw_exec, exec or docker."
  }
}

variable "binary" {
  type        = string
  default     = "drydock"
  description = "The program: a name on the client's PATH, or an absolute path."
}

variable "image" {
  type        = string
  default     = "drydock:local"
  description = "The image, for the driver docker."
}

variable "user" {
  type        = string
  default     = ""
  description = "Whom it runs as, as nobody, where Nomad runs as root. Empty: as Nomad itself with raw_exec, as nobody with exec, as the image says with docker."
}

variable "http_port" {
  type        = number
  default     = 8084
  description = "The port of the feed."
}

variable "cpu" {
  type        = number
  default     = 50
  description = "The share of the processor, in MHz."
}

variable "memory" {
  type        = number
  default     = 128
  description = "The memory that is set aside, in MB."
}

job "market" {
  datacenters = var.datacenters
  type        = "service"

  meta {
    part       = "market"
    repository = "https://github.com/drydock/drydock"
  }

  group "market" {
    update {
      health_check      = "checks"
      min_healthy_time  = "3s"
      healthy_deadline  = "2m"
      progress_deadline = "5m"
      auto_revert       = true
    }

    # What fails is started again at once, and elsewhere if that does not help.
    restart {
      attempts = 5
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

    # The prices and events that were demanded outlive an update, and go along to another client where that can be.
    ephemeral_disk {
      size    = 300
      sticky  = true
      migrate = true
    }

    network {
      port "http" {
        static = var.http_port
      }
    }

    service {
      name     = "market"
      port     = "http"
      provider = "consul"

      # Fails while it stops.
      check {
        name     = "ready"
        type     = "http"
        path     = "/health/ready"
        interval = "3s"
        timeout  = "3s"
      }
    }

    task "market" {
      driver       = var.driver
      user         = var.user
      kill_timeout = "10s" # longer than its drain of 5s

      dynamic "config" {
        for_each = var.driver == "docker" ? [] : [var.binary]

        content {
          command = config.value
          args    = ["market"]
        }
      }

      dynamic "config" {
        for_each = var.driver == "docker" ? [var.image] : []

        content {
          image           = config.value
          args            = ["market"]
          network_mode    = "host"
          readonly_rootfs = true
          cap_drop        = ["all"]
          security_opt    = ["no-new-privileges"]
        }
      }

      env {
        DRYDOCK_LISTEN     = "${NOMAD_ADDR_http}"
        DRYDOCK_MARKET_DIR = "${NOMAD_ALLOC_DIR}/data"
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
