# The quotes worker: polls the market at each tick of its schedule, and
# publishes the prices that are new. Instances take turns.

variable "datacenters" {
  type        = list(string)
  default     = ["*"]
  description = "Where the worker may run."
}

variable "count" {
  type        = number
  default     = 1
  description = "How many instances take turns; the vendor's rate limit is shared by all."
}

variable "symbols" {
  type        = string
  default     = "*"
  description = "What to poll, as ACME,BTC-USD; * is all that the vendor names."
}

variable "every" {
  type        = string
  default     = "5s"
  description = "The pause between two polls; empty when cron says when."
}

variable "cron" {
  type        = string
  default     = ""
  description = "When to poll instead: six fields with seconds first, or @hourly, @daily."
}

variable "time_zone" {
  type        = string
  default     = ""
  description = "What cron is read in, as Europe/Berlin; UTC when empty."
}

variable "missed" {
  type        = string
  default     = "catch_up"
  description = "What becomes of prices between polls and of outages: catch_up or skip."
}

variable "binary" {
  type        = string
  default     = "drydock"
  description = "The program: a name on the client's PATH, or an absolute path."
}

job "quotes" {
  datacenters = var.datacenters
  type        = "service"

  group "quotes" {
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
      name     = "quotes"
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

    task "quotes" {
      driver       = "raw_exec"
      kill_timeout = "30s" # longer than the worker's drain of 20s

      config {
        command = var.binary
        args    = ["quotes"]
      }

      env {
        DRYDOCK_LISTEN    = "${NOMAD_ADDR_http}"
        DRYDOCK_SYMBOLS   = var.symbols
        DRYDOCK_EVERY     = var.every
        DRYDOCK_CRON      = var.cron
        DRYDOCK_TIME_ZONE = var.time_zone
        DRYDOCK_MISSED    = var.missed
      }

      # Where the bus and the market are, with the keys to them.
      template {
        destination = "secrets/cloud.env"
        env         = true
        data        = <<-EOF
          {{ with nomadVar "nomad/jobs/quotes" -}}
          DRYDOCK_BUS={{ .bus }}
          DRYDOCK_MARKET={{ .market }}
          {{- end }}
        EOF
      }

      logs {
        max_files     = 3
        max_file_size = 10
      }

      resources {
        cpu    = 500
        memory = 256
      }
    }
  }
}
