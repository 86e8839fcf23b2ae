# The alerts API and its page: owners set rules on prices, try them, and follow what they fire.

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

job "alerts" {
  datacenters = var.datacenters
  type        = "service"

  group "alerts" {
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
      name     = "alerts"
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

    task "alerts" {
      driver       = "raw_exec"
      kill_timeout = "15s" # longer than the API's drain of 10s

      config {
        command = var.binary
        args    = ["alerts"]
      }

      env {
        DRYDOCK_LISTEN = "${NOMAD_ADDR_http}"
      }

      # Where the bus and the market are, and the secret of the links in mails.
      template {
        destination = "secrets/cloud.env"
        env         = true
        data        = <<-EOF
          {{ with nomadVar "nomad/jobs/alerts" -}}
          DRYDOCK_BUS={{ .bus }}
          DRYDOCK_MARKET={{ .market }}
          DRYDOCK_UNSUBSCRIBE_KEY={{ .unsubscribe_key }}
          {{- end }}
        EOF
      }

      logs {
        max_files     = 3
        max_file_size = 10
      }

      resources {
        cpu    = 500
        memory = 512 # the index of 1,000,000 rules takes 100 to 200
      }
    }
  }
}
