// Package iam decides by policy documents, in the language of AWS IAM: those of
// an access key, and those of a bucket. A document is parsed once and then
// decides without parsing again. It knows nothing of HTTP; emulator/s3 tells it
// what a request is about.
package iam
