job "sysbatch" {
  type = "sysbatch"

  group "sysbatch" {
    task "work" {
      driver = "mock_driver"

      config {
        run_for       = "1ms"
        stdout_string = "mocked"
      }

      resources {
        cpu    = 20
        memory = 16
      }
    }
  }
}
