# The alerts worker: holds every quote against the rules, and publishes the
# alerts. Instances share the symbols out among themselves.

variable "datacenters" {
  type        = list(string)
  default     = ["*"]
  description = "Where the worker may run."
}

variable "count" {
  type        = number
  default     = 1
  description = "How many instances share the work, 32 at most."
}

variable "max_age" {
  type        = string
  default     = ""
  description = "How old a quote may be and still fire, as 15m; any age when empty."
}

variable "binary" {
  type        = string
  default     = "drydock"
  description = "The program: a name on the client's PATH, or an absolute path."
}

job "filter" {
  datacenters = var.datacenters
  type        = "service"

  group "filter" {
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
      name     = "filter"
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

    task "filter" {
      driver       = "raw_exec"
      kill_timeout = "20s" # longer than the worker's drain of 10s

      config {
        command = var.binary
        args    = ["filter"]
      }

      env {
        DRYDOCK_LISTEN   = "${NOMAD_ADDR_http}"
        DRYDOCK_INSTANCE = "${NOMAD_ALLOC_ID}" # a task that is started again goes on at once
        DRYDOCK_MAX_AGE  = var.max_age
      }

      # Where the bus is, and the key to it.
      template {
        destination = "secrets/cloud.env"
        env         = true
        data        = <<-EOF
          {{ with nomadVar "nomad/jobs/filter" -}}
          DRYDOCK_BUS={{ .bus }}
          {{- end }}
        EOF
      }

      logs {
        max_files     = 3
        max_file_size = 10
      }

      resources {
        cpu        = 1000
        memory     = 512 # 1,000,000 rules take some 200 MB
        memory_max = 1024
      }
    }
  }
}
