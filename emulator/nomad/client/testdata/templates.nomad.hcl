variable "program" {}

job "templates" {
  type = "batch"
  group "g" {
    network {
      port "http" {}
    }
    restart { attempts = 0 }
    task "t" {
      driver = "raw_exec"
      config {
        command = var.program
        args    = ["task", "env"]
      }
      env { COLOUR = "red" }
      template {
        data        = <<-EOT
          # the bus
          BUS={{ with nomadVar "nomad/jobs/images" }}{{ .bus }}{{ end }}
          KEY={{ with nomadVar "nomad/jobs/images" }}{{ .key.Value | toJSON }}{{ end }}
          OPTIONAL={{ if nomadVarExists "nomad/jobs/none" }}yes{{ else }}no{{ end }}
        EOT
        destination = "secrets/env"
        env         = true
      }
      template {
        data        = "{{ env \"COLOUR\" }} {{ env \"NOMAD_ADDR_http\" }} [{{ env \"AWS_SECRET_ACCESS_KEY\" }}] {{ range nomadVarList }}{{ . }} {{ end }}{{ range nomadService \"none\" }}x{{ end }}"
        destination = "${NOMAD_TASK_DIR}/deep/config"
        perms       = "0640"
      }
      template {
        source      = "local/deep/config"
        destination = "${NOMAD_ALLOC_DIR}/copy"
      }
      template {
        data        = "{{ file (printf \"%s/deep/config\" (env \"NOMAD_TASK_DIR\")) }}{{ envOrDefault \"NONE\" \"\" }}{{ range nomadServices }}{{ .Name }}{{ end }}"
        destination = "local/file"
      }
    }
  }
}
