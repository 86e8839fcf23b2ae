# The API of dead letters: shows, mends and deletes what consumers gave up, and sends it again.

variable "datacenters" {
  type        = list(string)
  default     = ["*"]
  description = "Where the API may run."
}

variable "count" {
  type        = number
  default     = 1
  description = "How many instances answer."
}

variable "binary" {
  type        = string
  default     = "drydock"
  description = "The program: a name on the client's PATH, or an absolute path."
}

variable "http_port" {
  type        = number
  default     = 0
  description = "A fixed port for the API; 0 lets Nomad choose."
}

job "deadletters" {
  datacenters = var.datacenters
  type        = "service"

  group "deadletters" {
    count = var.count

    network {
      port "http" {
        static = var.http_port
      }
    }

    restart {
      attempts = 10
      interval = "1m"
      delay    = "1s"
      mode     = "delay"
    }

    service {
      name     = "deadletters"
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

    task "deadletters" {
      driver       = "raw_exec"
      kill_timeout = "15s" # longer than the API's drain of 10s

      config {
        command = var.binary
        args    = ["deadletters"]
      }

      env {
        DRYDOCK_LISTEN = "${NOMAD_ADDR_http}"
      }

      # Where the bus is, and the key to it.
      template {
        destination = "secrets/cloud.env"
        env         = true
        data        = <<-EOF
          {{ with nomadVar "nomad/jobs/deadletters" -}}
          DRYDOCK_BUS={{ .bus }}
          {{- end }}
        EOF
      }

      logs {
        max_files     = 3
        max_file_size = 10
      }

      resources {
        cpu    = 200
        memory = 128
      }
    }
  }
}
