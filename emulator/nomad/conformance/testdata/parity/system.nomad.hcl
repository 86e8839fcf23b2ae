job "system" {
  type = "system"

  update {
    min_healthy_time = "0s"
  }

  group "system" {
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
