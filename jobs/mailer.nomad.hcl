# The mailer: sends alerts by e-mail, and a digest of what would be too many.

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

variable "digest_after" {
  type        = number
  default     = 5
  description = "Mails a minute for one person before the rest is one digest."
}

job "mailer" {
  datacenters = var.datacenters
  type        = "service"

  group "mailer" {
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
      name     = "mailer"
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

    task "mailer" {
      driver       = "raw_exec"
      kill_timeout = "45s" # longer than the worker's drain of 40s

      config {
        command = var.binary
        args    = ["mailer"]
      }

      env {
        DRYDOCK_LISTEN       = "${NOMAD_ADDR_http}"
        DRYDOCK_DIGEST_AFTER = var.digest_after
      }

      # Where the bus and the mail server are, and the secret of the links in mails.
      template {
        destination = "secrets/cloud.env"
        env         = true
        data        = <<-EOF
          {{ with nomadVar "nomad/jobs/mailer" -}}
          DRYDOCK_BUS={{ .bus }}
          DRYDOCK_MAIL={{ .mail }}
          DRYDOCK_MAIL_FROM={{ .mail_from | toJSON }}
          DRYDOCK_PUBLIC_URL={{ .public_url }}
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
        memory = 128
      }
    }
  }
}
