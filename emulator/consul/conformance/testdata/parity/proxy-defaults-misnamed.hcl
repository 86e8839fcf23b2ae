Kind = "proxy-defaults"
Name = "local"
