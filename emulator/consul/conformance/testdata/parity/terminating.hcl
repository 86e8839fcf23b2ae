Kind = "terminating-gateway"
Name = "egress"
Services = [
  {
    Name = "db"
  },
]
