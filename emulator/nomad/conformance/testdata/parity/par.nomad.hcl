job "par" {
  type = "batch"

  parameterized {
    payload       = "optional"
    meta_required = ["k"]
    meta_optional = ["o"]
  }

  group "par" {
    task "work" {
      driver = "raw_exec"

      config {
        command = "/bin/sh"
        args    = ["-c", "echo k $NOMAD_META_k; cat local/input 2>/dev/null; true"]
      }

      dispatch_payload {
        file = "input"
      }

      resources {
        cpu    = 20
        memory = 16
      }
    }
  }
}
