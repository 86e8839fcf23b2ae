job "mounted" {
  type = "batch"

  group "mounted" {
    volume "data" {
      type            = "host"
      source          = "data"
      access_mode     = "single-node-writer"
      attachment_mode = "file-system"
    }

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
