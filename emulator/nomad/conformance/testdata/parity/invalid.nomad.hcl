job "invalid" {
  type     = "nonsense"
  priority = 500

  group "invalid" {
    count = -1

    restart {
      mode = "nonsense"
    }

    task "work" {
      driver = "raw_exec"
    }
  }
}
