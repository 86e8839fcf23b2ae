# Its services' checks ask the agent itself.
variable "agent" {
  type = number
}

job "checked" {
  update {
    min_healthy_time = "0s"
    healthy_deadline = "20s"
  }

  group "checked" {
    service {
      name     = "checked"
      provider = "nomad"
      address  = "127.0.0.1"
      port     = var.agent

      check {
        name     = "leader"
        type     = "http"
        path     = "/v1/status/leader"
        interval = "1s"
        timeout  = "1s"
      }
    }

    service {
      name     = "refused"
      provider = "nomad"
      address  = "127.0.0.1"
      port     = var.agent

      check {
        name      = "nonsense"
        type      = "http"
        path      = "/v1/nonsense"
        interval  = "1s"
        timeout   = "1s"
        on_update = "ignore"
      }
    }

    task "work" {
      driver = "mock_driver"

      config {
        run_for = "1h"
      }

      resources {
        cpu    = 20
        memory = 16
      }
    }
  }
}
