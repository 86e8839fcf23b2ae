# The webhooks worker: posts alerts to the URLs of their owners.

variable "datacenters" {
  type        = list(string)
  default     = ["*"]
  description = "Where the worker may run."
}

variable "count" {
  type        = number
  default     = 1
  description = "How many instances share the work."
}

variable "binary" {
  type        = string
  default     = "drydock"
  description = "The program: a name on the client's PATH, or an absolute path."
}

variable "private" {
  type        = string
  default     = "refuse"
  description = "Whether webhooks may go to private networks: allow or refuse."
}

job "webhooks" {
  datacenters = var.datacenters
  type        = "service"

  group "webhooks" {
    count = var.count

    network {
      port "http" {}
    }

    restart {
      attempts = 10
      interval = "1m"
      delay    = "1s"
      mode     = "delay"
    }

    service {
      name     = "webhooks"
      port     = "http"
      provider = "consul"

      check {
        name     = "ready"
        type     = "http"
        path     = "/health/ready"
        interval = "5s"
        timeout  = "3s"
      }
    }

    task "webhooks" {
      driver       = "raw_exec"
      kill_timeout = "20s" # longer than the worker's drain of 15s

      config {
        command = var.binary
        args    = ["webhooks"]
      }

      env {
        DRYDOCK_LISTEN           = "${NOMAD_ADDR_http}"
        DRYDOCK_WEBHOOKS_PRIVATE = var.private
      }

      # Where the bus is.
      template {
        destination = "secrets/cloud.env"
        env         = true
        data        = <<-EOF
          {{ with nomadVar "nomad/jobs/webhooks" -}}
          DRYDOCK_BUS={{ .bus }}
          {{- end }}
        EOF
      }

      logs {
        max_files     = 3
        max_file_size = 10
      }

      resources {
        cpu    = 500
        memory = 128
      }
    }
  }
}
