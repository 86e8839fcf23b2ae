# No node is as it demands.
job "constrained" {
  type = "batch"

  constraint {
    attribute = "${meta.rack}"
    value     = "r1"
  }

  group "constrained" {
    task "work" {
      driver = "raw_exec"

      config {
        command = "/bin/true"
      }

      resources {
        cpu    = 20
        memory = 16
      }
    }
  }
}
