package jobs

import (
	"errors"
	"fmt"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/nomad/api"
	"github.com/hashicorp/nomad/jobspec2"
)

const (
	// maxSource is how long a job file may be, in bytes, and so its variables.
	maxSource = 1 << 20
	// maxNesting is how deep its brackets may be nested. The parser recurs, and
	// a stack that overflows ends the process.
	maxNesting = 1000

	sourceName = "input.hcl"
)

// Parse reads a job file, in HCL or its JSON form, with values for its
// variables. Files of the server cannot be read from it. The error is the
// answer.
func Parse(request *api.JobsParseRequest) (*api.Job, error) {
	if request.JobHCL == "" {
		//lint:ignore ST1005 it is the answer of the real program
		return nil, errors.New("Job spec is empty")
	}
	job, err := parse(request.JobHCL, request.Variables)
	if err != nil {
		//lint:ignore ST1005 it is the answer of the real program
		return nil, fmt.Errorf("Failed to parse job: %w", err)
	}
	if request.Canonicalize {
		job.Canonicalize()
	}
	return job, nil
}

func parse(source, variables string) (*api.Job, error) {
	for _, text := range []string{source, variables} {
		if err := checkSource(text); err != nil {
			return nil, err
		}
	}
	return jobspec2.ParseWithConfig(&jobspec2.ParseConfig{
		Path: sourceName, Body: []byte(source), VarContent: variables, Strict: true,
	})
}

// checkSource refuses what the parser could not digest.
func checkSource(text string) error {
	if len(text) > maxSource {
		return fmt.Errorf("%s has %d bytes: at most %d are read", sourceName, len(text), maxSource)
	}
	tokens, _ := hclsyntax.LexConfig([]byte(text), sourceName, hcl.InitialPos) // the parser tells what is wrong
	depth, prefixes := 0, 0
	for _, token := range tokens {
		switch token.Type {
		case hclsyntax.TokenOParen, hclsyntax.TokenOBrack, hclsyntax.TokenOBrace,
			hclsyntax.TokenTemplateInterp, hclsyntax.TokenTemplateControl:
			depth++
		case hclsyntax.TokenCParen, hclsyntax.TokenCBrack, hclsyntax.TokenCBrace, hclsyntax.TokenTemplateSeqEnd:
			depth = max(0, depth-1)
		}
		if token.Type == hclsyntax.TokenBang || token.Type == hclsyntax.TokenMinus {
			prefixes++
		} else {
			prefixes = 0
		}
		if depth+prefixes > maxNesting {
			return fmt.Errorf("%s:%d: more than %d brackets are open: write it flatter", sourceName, token.Range.Start.Line, maxNesting)
		}
	}
	return nil
}
