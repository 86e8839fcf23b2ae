# It runs, fails, is restarted, and is rescheduled.
job "failing" {
  update {
    max_parallel = 0
  }

  group "failing" {
    restart {
      attempts = 1
      interval = "10m"
      delay    = "100ms"
      mode     = "fail"
    }

    reschedule {
      attempts       = 1
      interval       = "10m"
      delay          = "5s"
      delay_function = "constant"
      unlimited      = false
    }

    task "work" {
      driver = "raw_exec"

      config {
        command = "/bin/sh"
        args    = ["-c", "echo failing; exit 3"]
      }

      resources {
        cpu    = 20
        memory = 16
      }
    }
  }
}
