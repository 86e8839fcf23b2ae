package jobs_test

import (
	"strings"
	"testing"

	"github.com/drydock/drydock/emulator/nomad/jobs"
	"github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const jobFile = `
variable "count" { default = 2 }
job "web" {
  group "group" {
    count = var.count
    task "task" { driver = "mock_driver" }
  }
}`

func TestParseReadsJobFiles(t *testing.T) {
	t.Parallel()
	job, err := jobs.Parse(&api.JobsParseRequest{JobHCL: jobFile})
	require.NoError(t, err)
	assert.Equal(t, 2, *job.TaskGroups[0].Count)
	assert.Nil(t, job.Type, "it has no defaults, unless they are asked for")

	job, err = jobs.Parse(&api.JobsParseRequest{JobHCL: jobFile, Variables: "count = 5", Canonicalize: true})
	require.NoError(t, err)
	assert.Equal(t, 5, *job.TaskGroups[0].Count)
	assert.Equal(t, api.JobTypeService, *job.Type)

	job, err = jobs.Parse(&api.JobsParseRequest{JobHCL: `{"job": {"web": {"group": {"group": {"count": 3}}}}}`})
	require.NoError(t, err)
	assert.Equal(t, 3, *job.TaskGroups[0].Count)
}

func TestParseRefusesInTheWordsOfTheRealProgram(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ source, variables, want string }{
		{"", "", "Job spec is empty"},
		{`job "x" {`, "", "Failed to parse job: input.hcl:1,9-10: Unclosed configuration block; There is no closing brace for this block before the end of the file. This may be caused by incorrect brace nesting elsewhere in this file."},
		{`nope "x" {}`, "", `Failed to parse job: input.hcl:1,1-5: Unsupported block type; Blocks of type "nope" are not expected here.`},
		{"job \"x\" {}\njob \"y\" {}", "", `Failed to parse job: input.hcl:2,1-8: Duplicate job block; Only one block of type "job" is allowed. Previous definition was at input.hcl:1,1-8.`},
		{`job "x" { foo = 1 }`, "", `Failed to parse job: input.hcl:1,11-14: Unsupported argument; An argument named "foo" is not expected here.`},
		{`job "x" { name = file("/etc/passwd") }`, "", "Failed to parse job: input.hcl:1,18-23: Error in function call; Call to function \"file\" failed: filesystem function disabled.\ninput.hcl:1,18-23: Unsuitable value type; Unsuitable value: value must be known"},
		{`job "x" {}`, "a = ", "Failed to parse job: unable to parse var content: input.hcl:1,5-5: Missing expression; Expected the start of an expression, but found the end of the file."},
		{`{"Job":{"ID":"x"}}`, "", `Failed to parse job: input.hcl:1,2-7: Extraneous JSON object property; No argument or block type is named "Job". Did you mean "job"?`},
		{`job "a" { priority = "a" }`, "", "Failed to parse job: input.hcl:1,23-24: Unsuitable value type; Unsuitable value: a number is required"},
	} {
		_, err := jobs.Parse(&api.JobsParseRequest{JobHCL: c.source, Variables: c.variables})
		assert.EqualError(t, err, c.want)
	}
}

func TestParseHasLimits(t *testing.T) {
	t.Parallel()
	_, err := jobs.Parse(&api.JobsParseRequest{JobHCL: jobFile + "#" + strings.Repeat("x", 2<<20)})
	assert.ErrorContains(t, err, "at most 1048576 are read")
	for _, deep := range []string{"(", "[", "{", "!", "-", "a(", `"${`, "{a=", "\"%{if "} {
		for _, request := range []*api.JobsParseRequest{
			{JobHCL: `job "x" { name = ` + strings.Repeat(deep, 2000)},
			{JobHCL: `job "x" {}`, Variables: "a = " + strings.Repeat(deep, 2000)},
		} {
			_, err := jobs.Parse(request)
			assert.ErrorContains(t, err, "write it flatter", deep)
		}
	}
	_, err = jobs.Parse(&api.JobsParseRequest{JobHCL: `job "x" { priority = ` + strings.Repeat("(", 900) + "1" + strings.Repeat(")", 900) + " }"})
	assert.NoError(t, err)
}
