variable "program" {}
variable "id" { default = "one" }
variable "type" { default = "service" }
variable "mode" {}
variable "argument" { default = "" }
variable "attempts" { default = 0 }
variable "interval" { default = "1h" }
variable "restart_mode" { default = "fail" }
variable "kill_timeout" { default = "5s" }
variable "max_files" { default = 10 }

job "task" {
  id   = var.id
  name = var.id
  type = var.type
  group "g" {
    restart {
      attempts = var.attempts
      interval = var.interval
      delay    = "1ms"
      mode     = var.restart_mode
    }
    task "t" {
      driver       = "raw_exec"
      kill_timeout = var.kill_timeout
      config {
        command = var.program
        args    = ["task", var.mode, var.argument]
      }
      logs {
        max_files     = var.max_files
        max_file_size = 1
      }
    }
  }
}
