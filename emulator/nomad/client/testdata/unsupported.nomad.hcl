job "unsupported" {
  type = "system"
  periodic { crons = ["* * * * *"] }
  group "g" {
    count = 2
    network {
      mode = "bridge"
      port "http" { static = 8080 }
    }
    volume "v" { type = "host" }
    service {
      name = "s"
      port = "https"
      check {
        type     = "grpc"
        interval = "10ms"
        timeout  = "1s"
      }
    }
    task "t" {
      driver = "docker"
      config { image = "x" }
      lifecycle { hook = "prestart" }
      kill_signal = "SIGWINCH"
      template {
        data        = "x"
        destination = "local/x"
        change_mode = "script"
      }
    }
    task "u" {
      driver = "raw_exec"
      config {
        command  = "x"
        work_dir = "/"
      }
      artifact { source = "http://example.com" }
    }
  }
}
