job "scaled" {
  update {
    min_healthy_time = "0s"
  }

  group "scaled" {
    count = 1

    scaling {
      min     = 1
      max     = 3
      enabled = true

      policy {
        cooldown = "1m"
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
