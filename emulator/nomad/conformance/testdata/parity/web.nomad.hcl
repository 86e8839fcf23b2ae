variable "v" {
  default = "v1"
}

job "web" {
  meta {
    owner = "parity"
  }

  update {
    max_parallel     = 2
    min_healthy_time = "0s"
  }

  group "web" {
    count = 2

    restart {
      delay = "200ms"
    }

    network {
      port "http" {}
    }

    service {
      name     = "web"
      port     = "http"
      provider = "nomad"
      tags     = ["a", "b"]
    }

    task "web" {
      driver = "raw_exec"

      config {
        command = "/bin/sh"
        args    = ["-c", "echo serving ${var.v}; echo warned >&2; trap 'echo hung up' HUP; while :; do sleep 0.2; done"]
      }

      template {
        data        = "version ${var.v}\n"
        destination = "local/config.txt"
      }

      env {
        VERSION = var.v
      }

      resources {
        cpu    = 50
        memory = 32
      }
    }
  }
}
