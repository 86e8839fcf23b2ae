# There is no room for it.
job "big" {
  type = "batch"

  group "big" {
    task "work" {
      driver = "raw_exec"

      config {
        command = "/bin/true"
      }

      resources {
        cpu    = 100000
        memory = 16
      }
    }
  }
}
