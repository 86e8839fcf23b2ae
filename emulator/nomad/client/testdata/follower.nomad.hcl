variable "program" {}
variable "change_mode" { default = "restart" }

job "follower" {
  group "g" {
    task "t" {
      driver = "raw_exec"
      config {
        command = var.program
        args    = ["task", "wait"]
      }
      template {
        data          = "{{ range nomadService \"web\" }}{{ .Address }}:{{ .Port }}\n{{ end }}{{ range service \"v1.web\" }}{{ .Address }}:{{ .Port }}\n{{ end }}"
        destination   = "local/upstreams"
        change_mode   = var.change_mode
        change_signal = "SIGUSR1"
        splay         = "0s"
      }
    }
  }
}
