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
}

variable "binary" {
  type        = string
  default     = "drydock-images"
  description = "The program: a name on the client's PATH, or an absolute path."
}

job "images" {
  datacenters = var.datacenters
  type        = "service"

  group "images" {
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
      name     = "images"
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

    task "images" {
      driver       = "raw_exec"
      kill_timeout = "30s" # longer than the worker's drain of 20s

      config {
        command = var.binary
      }

      env {
        DRYDOCK_LISTEN   = "${NOMAD_ADDR_http}"
        DRYDOCK_VARIANTS = "${NOMAD_TASK_DIR}/variants.json"
      }

      # The variants: change them here. A width or height of 0 is free, a crop
      # fills the box, and nothing is ever enlarged. AVIF and JPEG are the other formats.
      template {
        destination = "local/variants.json"
        data        = <<-EOF
          [
            {"name": "thumb", "width": 160, "height": 160, "crop": "attention", "format": "webp"},
            {"name": "small", "width": 640, "format": "webp"},
            {"name": "large", "width": 1280, "format": "webp"}
          ]
        EOF
      }

      # Where the bus and the objects are, and the keys to them.
      template {
        destination = "secrets/cloud.env"
        env         = true
        data        = <<-EOF
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
        cpu        = 1000
        memory     = 512  # ordinary photographs
        memory_max = 3072 # the worker's own bound for the worst ones, which it logs
      }
    }
  }
}
