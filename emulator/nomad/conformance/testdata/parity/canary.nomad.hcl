variable "v" {
  default = "v1"
}

variable "program" {
  default = "/bin/sh"
}

job "canary" {
  update {
    canary            = 1
    max_parallel      = 2
    min_healthy_time  = "100ms"
    healthy_deadline  = "10s"
    progress_deadline = "15s"
    auto_revert       = true
  }

  group "canary" {
    count = 2

    restart {
      attempts = 0
      mode     = "fail"
    }

    reschedule {
      attempts  = 0
      unlimited = false
    }

    network {
      port "http" {}
    }

    service {
      name        = "canary"
      port        = "http"
      provider    = "nomad"
      tags        = ["live"]
      canary_tags = ["canary"]
    }

    task "work" {
      driver = "raw_exec"

      config {
        command = var.program
        args    = ["-c", "echo ${var.v}; exec sleep 600"]
      }

      resources {
        cpu    = 20
        memory = 16
      }
    }
  }
}
