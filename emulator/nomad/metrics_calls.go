package nomad

// calls are what the requests are measured as, by method and path of the route.
func calls() map[string]string {
	return map[string]string{
		"GET /v1/allocations":              "alloc.list",
		"GET /v1/allocation/{id}":          "alloc.get_alloc",
		"GET /v1/allocation/{id}/services": "alloc.get_service_registrations",
		"PUT /v1/allocation/{id}/stop":     "alloc.stop",

		"GET /v1/client/stats":                   "nomad.client.client_stats.stats",
		"GET /v1/client/allocation/{id}/stats":   "nomad.client.allocations.stats",
		"PUT /v1/client/allocation/{id}/restart": "nomad.client.allocations.restart",
		"PUT /v1/client/allocation/{id}/signal":  "nomad.client.allocations.signal",
		"GET /v1/client/fs/ls/{id}":              "nomad.client.file_system.list",
		"GET /v1/client/fs/stat/{id}":            "nomad.client.file_system.stat",
		"GET /v1/client/fs/stream/{id}":          "nomad.client.file_system.stream",
		"GET /v1/client/fs/cat/{id}":             "nomad.client.file_system.stream",
		"GET /v1/client/fs/logs/{id}":            "nomad.client.file_system.logs",

		"GET /v1/deployments":     "deployment.list",
		"GET /v1/deployment/{id}": "deployment.get_deployment",

		"GET /v1/evaluations":                 "eval.list",
		"GET /v1/evaluations/count":           "eval.count",
		"GET /v1/evaluation/{id}":             "eval.get_eval",
		"GET /v1/evaluation/{id}/allocations": "eval.allocations",

		"GET /v1/jobs":                       "job.list",
		"PUT /v1/jobs":                       "job.register",
		"GET /v1/job/{id...}":                "job.get_job",
		"PUT /v1/job/{id...}":                "job.register",
		"DELETE /v1/job/{id...}":             "job.deregister",
		"GET /v1/job/{id...}/allocations":    "job.allocations",
		"GET /v1/job/{id...}/evaluations":    "job.evaluations",
		"GET /v1/job/{id...}/deployments":    "job.deployments",
		"GET /v1/job/{id...}/deployment":     "job.latest_deployment",
		"GET /v1/job/{id...}/summary":        "job_summary.get_job_summary",
		"PUT /v1/job/{id...}/evaluate":       "job.evaluate",
		"PUT /v1/job/{id...}/plan":           "job.plan",
		"GET /v1/job/{id...}/versions":       "job.get_job_versions",
		"PUT /v1/job/{id...}/dispatch":       "job.dispatch",
		"PUT /v1/job/{id...}/periodic/force": "periodic.force",
		"GET /v1/job/{id...}/scale":          "job.scale_status",
		"PUT /v1/job/{id...}/scale":          "job.scale",

		"GET /v1/operator/keyring/keys": "keyring.list",

		"GET /v1/namespaces":          "namespace.list_namespace",
		"GET /v1/namespace/{name...}": "namespace.get_namespace",
		"PUT /v1/namespace":           "namespace.upsert_namespaces",
		"PUT /v1/namespace/{name...}": "namespace.upsert_namespaces",

		"GET /v1/nodes":                 "client.list",
		"GET /v1/node/{id}":             "client.get_node",
		"PUT /v1/node/{id}/eligibility": "client.update_eligibility",
		"GET /v1/node/pools":            "node_pool.list",
		"GET /v1/node/pool/{name...}":   "node_pool.get_node_pool",

		"GET /v1/scaling/policies": "scaling.list_policies",
		"PUT /v1/search":           "search.prefix_search",
		"PUT /v1/search/fuzzy":     "search.fuzzy_search",
		"GET /v1/services":         "service_registration.list",
		"GET /v1/vars":             "variables.list",
		"GET /v1/volumes":          "volume.list",
		"GET /v1/var/{path...}":    "variables.read",
		"PUT /v1/var/{path...}":    "variables.apply_cas",
	}
}
