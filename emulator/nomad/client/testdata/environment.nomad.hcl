variable "program" {}

job "environment" {
  type        = "batch"
  datacenters = ["eu-1"]
  meta { owner = "team" }

  group "print" {
    network {
      port "http" {}
      port "my-port" {}
    }

    task "env" {
      driver = "raw_exec"
      config {
        command = var.program
        args    = ["task", "env", "${NOMAD_TASK_DIR}", "${NOMAD_META_shade}", "${NOT_OURS}", 8080]
      }
      meta { shade = "blue-${NOMAD_ALLOC_INDEX}" }
      env {
        LISTEN = "${NOMAD_ADDR_http}"
        HOST   = "${node.unique.name}/${attr.kernel.name}/${attr.cpu.arch}/${meta.rack}"
        PLAIN  = "$HOME"
        PATH   = "/job/bin"
      }
      resources {
        cpu        = 250
        memory     = 64
        memory_max = 128
      }
    }
  }
}
