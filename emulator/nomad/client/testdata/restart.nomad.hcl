variable "program" {}

job "restart" {
  group "g" {
    network {
      port "http" {}
    }
    restart {
      attempts = 5
      interval = "1h"
      delay    = "1ms"
    }
    task "t" {
      driver = "raw_exec"
      config {
        command = var.program
        args    = ["task", "serve-once", "${NOMAD_ADDR_http}"]
      }
      service {
        name     = "flaky"
        port     = "http"
        provider = "nomad"
        check {
          type     = "http"
          path     = "health"
          interval = "1s"
          timeout  = "1s"
          check_restart {
            limit = 1
            grace = "0s"
          }
        }
        check {
          type     = "tcp"
          interval = "1s"
          timeout  = "1s"
        }
      }
    }
  }
}
