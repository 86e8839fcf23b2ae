# Tasks before, beside and after the main one.
job "hooks" {
  type = "batch"

  group "hooks" {
    task "before" {
      driver = "raw_exec"

      lifecycle {
        hook = "prestart"
      }

      config {
        command = "/bin/sh"
        args    = ["-c", "echo before >> $NOMAD_ALLOC_DIR/data/order"]
      }

      resources {
        cpu    = 20
        memory = 16
      }
    }

    task "main" {
      driver = "raw_exec"

      config {
        command = "/bin/sh"
        args    = ["-c", "echo main >> $NOMAD_ALLOC_DIR/data/order"]
      }

      resources {
        cpu    = 20
        memory = 16
      }
    }

    task "after" {
      driver = "raw_exec"

      lifecycle {
        hook = "poststop"
      }

      config {
        command = "/bin/sh"
        args    = ["-c", "echo after >> $NOMAD_ALLOC_DIR/data/order"]
      }

      resources {
        cpu    = 20
        memory = 16
      }
    }
  }
}
