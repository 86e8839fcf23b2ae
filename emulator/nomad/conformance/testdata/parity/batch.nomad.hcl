job "batch" {
  type = "batch"

  group "batch" {
    task "work" {
      driver = "raw_exec"

      config {
        command = "/bin/sh"
        args    = ["-c", "echo job $NOMAD_JOB_NAME group $NOMAD_GROUP_NAME task $NOMAD_TASK_NAME index $NOMAD_ALLOC_INDEX cpu $NOMAD_CPU_LIMIT memory $NOMAD_MEMORY_LIMIT"]
      }

      resources {
        cpu    = 20
        memory = 16
      }
    }
  }
}
