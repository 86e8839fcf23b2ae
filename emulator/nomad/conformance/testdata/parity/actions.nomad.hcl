job "actions" {
  update {
    min_healthy_time = "0s"
  }

  group "actions" {
    task "work" {
      driver = "raw_exec"

      config {
        command = "/bin/sh"
        args    = ["-c", "exec sleep 600"]
      }

      action "greet" {
        command = "/bin/echo"
        args    = ["hello"]
      }

      action "fail" {
        command = "/bin/sh"
        args    = ["-c", "exit 4"]
      }

      resources {
        cpu    = 20
        memory = 16
      }
    }
  }
}
