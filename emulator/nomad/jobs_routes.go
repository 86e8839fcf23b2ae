package nomad

import "net/http"

func jobRoutes() []route {
	return []route{
		faithful(http.MethodGet, "/v1/jobs", (*request).listJobs),
		faithful(http.MethodPut, "/v1/jobs", (*request).registerJob),
		faithful(http.MethodGet, "/v1/job/{id...}", (*request).job),
		faithful(http.MethodPut, "/v1/job/{id...}", (*request).registerJob),
		faithful(http.MethodDelete, "/v1/job/{id...}", (*request).deregisterJob),
		faithful(http.MethodGet, "/v1/job/{id...}/allocations", (*request).jobAllocations),
		faithful(http.MethodGet, "/v1/job/{id...}/evaluations", (*request).jobEvaluations),
		faithful(http.MethodGet, "/v1/job/{id...}/deployments", (*request).jobDeployments),
		faithful(http.MethodGet, "/v1/job/{id...}/deployment", (*request).jobDeployment),
		faithful(http.MethodGet, "/v1/job/{id...}/summary", (*request).jobSummary),
		faithful(http.MethodPut, "/v1/job/{id...}/evaluate", (*request).evaluateJob),
	}
}
