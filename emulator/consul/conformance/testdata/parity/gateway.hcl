Kind = "ingress-gateway"
Name = "edge"
Listeners = [
  {
    Port     = 8443
    Protocol = "tcp"
    Services = [
      {
        Name = "db"
      },
    ]
  },
]
