name        = "apart"
description = "apart from the others"

meta {
  owner = "parity"
}

capabilities {
  enabled_task_drivers  = ["mock_driver", "raw_exec"]
  disabled_task_drivers = ["exec"]
}
