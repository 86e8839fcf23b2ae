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
		faithful(http.MethodPut, "/v1/jobs/parse", (*request).parseJob),
		faithful(http.MethodPut, "/v1/validate/job", (*request).validateJob),
		faithful(http.MethodGet, "/v1/jobs/statuses", (*request).jobStatuses),
		faithful(http.MethodPost, "/v1/jobs/statuses", (*request).jobStatuses),
		faithful(http.MethodPut, "/v1/job/{id...}/plan", (*request).planJob),
		faithful(http.MethodGet, "/v1/job/{id...}/versions", (*request).jobVersions),
		faithful(http.MethodPut, "/v1/job/{id...}/versions/{tag}/tag", (*request).tagVersion),
		faithful(http.MethodDelete, "/v1/job/{id...}/versions/{tag}/tag", (*request).untagVersion),
		faithful(http.MethodGet, "/v1/job/{id...}/submission", (*request).jobSubmission),
		faithful(http.MethodPut, "/v1/job/{id...}/revert", (*request).revertJob),
		faithful(http.MethodPut, "/v1/job/{id...}/stable", (*request).stabilizeJob),
		faithful(http.MethodPut, "/v1/job/{id...}/dispatch", (*request).dispatchJob),
		faithful(http.MethodPut, "/v1/job/{id...}/periodic/force", (*request).forcePeriodic),
		faithful(http.MethodGet, "/v1/job/{id...}/scale", (*request).jobScale),
		faithful(http.MethodPut, "/v1/job/{id...}/scale", (*request).scaleJob),
		faithful(http.MethodGet, "/v1/job/{id...}/services", (*request).jobServices),
		faithful(http.MethodGet, "/v1/job/{id...}/actions", (*request).jobActions),
		faithful(http.MethodGet, "/v1/job/{id...}/action", (*request).runAction),
	}
}
