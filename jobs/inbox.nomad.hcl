# A mail server that delivers nothing, and shows what came on a page, for
# clusters that have none: where mail is to arrive, leave this job out, and name
# the mail server in the variable of the job mailer.

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

variable "smtp_port" {
  type        = number
  default     = 1025
  description = "The port that takes mail."
}

variable "http_port" {
  type        = number
  default     = 8025
  description = "The port of the page and its API."
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

job "inbox" {
  datacenters = var.datacenters
  type        = "service"

  meta {
    part       = "mail"
    repository = "https://github.com/drydock/drydock"
  }

  group "inbox" {
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

    # The mails outlive an update, and go along to another client where that can be.
    ephemeral_disk {
      size    = 300
      sticky  = true
      migrate = true
    }

    network {
      port "smtp" {
        static = var.smtp_port
      }

      port "http" {
        static = var.http_port
      }
    }

    service {
      name     = "inbox"
      port     = "smtp"
      provider = "consul"

      # Fails while it stops.
      check {
        name     = "ready"
        type     = "http"
        port     = "http"
        path     = "/health/ready"
        interval = "3s"
        timeout  = "3s"
      }
    }

    # The page, for people and programs that look for it.
    service {
      name     = "inbox-page"
      port     = "http"
      provider = "consul"

      check {
        name     = "live"
        type     = "http"
        path     = "/health/live"
        interval = "5s"
        timeout  = "3s"
      }
    }

    task "inbox" {
      driver       = var.driver
      user         = var.user
      kill_timeout = "10s" # longer than its drain of 5s

      dynamic "config" {
        for_each = var.driver == "docker" ? [] : [var.binary]

        content {
          command = config.value
          args    = ["inbox"]
        }
      }

      dynamic "config" {
        for_each = var.driver == "docker" ? [var.image] : []

        content {
          image           = config.value
          args            = ["inbox"]
          network_mode    = "host"
          readonly_rootfs = true
          cap_drop        = ["all"]
          security_opt    = ["no-new-privileges"]
        }
      }

      env {
        DRYDOCK_SMTP      = "${NOMAD_ADDR_smtp}"
        DRYDOCK_LISTEN    = "${NOMAD_ADDR_http}"
        DRYDOCK_INBOX_DIR = "${NOMAD_ALLOC_DIR}/data"
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
