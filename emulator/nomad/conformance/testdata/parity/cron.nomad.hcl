job "cron" {
  type = "batch"

  periodic {
    crons            = ["0 0 1 1 *"]
    prohibit_overlap = true
    time_zone        = "Europe/Lisbon"
  }

  group "cron" {
    task "work" {
      driver = "raw_exec"

      config {
        command = "/bin/sh"
        args    = ["-c", "echo ticked"]
      }

      resources {
        cpu    = 20
        memory = 16
      }
    }
  }
}
