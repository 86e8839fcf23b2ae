variable "program" {}
variable "code" { default = "0" }

job "leader" {
  type = "batch"
  group "g" {
    restart { attempts = 0 }
    task "main" {
      driver = "raw_exec"
      leader = true
      config {
        command = var.program
        args    = ["task", "exit", var.code]
      }
    }
    task "helper" {
      driver = "raw_exec"
      config {
        command = var.program
        args    = ["task", "wait"]
      }
    }
  }
}
