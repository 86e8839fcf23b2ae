# It has no deployments, and moves at once.
job "steady" {
  update {
    max_parallel = 0
  }

  group "steady" {
    count = 2

    migrate {
      max_parallel     = 2
      min_healthy_time = "0s"
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
