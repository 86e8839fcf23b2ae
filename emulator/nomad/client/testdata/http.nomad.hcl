variable "program" {}
variable "count" { default = 1 }
variable "provider" { default = "nomad" }

job "http" {
  group "web" {
    count = var.count
    network {
      port "http" {}
    }
    service {
      name     = "web"
      port     = "http"
      provider = var.provider
      tags     = ["v1", "${NOMAD_ALLOC_NAME}"]
      check {
        type     = "http"
        path     = "/health"
        interval = "1s"
        timeout  = "1s"
      }
    }
    task "server" {
      driver = "raw_exec"
      config {
        command = var.program
        args    = ["task", "serve", "${NOMAD_ADDR_http}"]
      }
    }
  }
}
