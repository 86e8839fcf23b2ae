job "elsewhere" {
  namespace = "apart"
  type      = "batch"
  node_pool = "spare"

  group "elsewhere" {
    task "work" {
      driver = "mock_driver"

      config {
        run_for = "1ms"
      }

      resources {
        cpu    = 20
        memory = 16
      }
    }
  }
}
