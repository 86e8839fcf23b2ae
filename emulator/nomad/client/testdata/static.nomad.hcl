variable "program" {}
variable "port" { type = number }
variable "id" { default = "static" }

job "static" {
  id = var.id
  group "g" {
    network {
      port "fixed" { static = var.port }
    }
    task "t" {
      driver = "raw_exec"
      config {
        command = var.program
        args    = ["task", "serve", "${NOMAD_ADDR_fixed}"]
      }
    }
  }
}
